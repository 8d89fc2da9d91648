import ActivationStore
import Support
import TestSupport
import Testing

/// How far work is that is done inside other work.
@Suite struct ActivityTests {
    @Test func partsOfPartsAreShares() {
        var levels = WorkLevels()
        #expect(levels.snapshot == Activity.Snapshot(name: nil, share: nil))
        let outer = levels.begin("outer", parts: 4)
        levels.step()
        #expect(levels.snapshot == Activity.Snapshot(name: "outer", share: 0.25))
        let inner = levels.begin("inner", parts: 2)
        levels.step()
        #expect(levels.snapshot == Activity.Snapshot(name: "outer", share: 0.375))
        // Work of which nobody knows how much there is counts for nothing until it is done.
        let unknown = levels.begin(nil, parts: 0)
        levels.step()
        #expect(levels.snapshot.share == 0.375)
        levels.end(unknown)
        levels.end(inner)
        levels.step()
        #expect(levels.snapshot == Activity.Snapshot(name: "outer", share: 0.5))
        for _ in 0..<9 { levels.step() }
        #expect(levels.snapshot.share == 1)
        levels.end(outer)
        #expect(levels.snapshot == Activity.Snapshot(name: nil, share: nil))
    }
}
