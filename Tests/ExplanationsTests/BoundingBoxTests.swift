import ArgumentParser
import Explanations
import Images
import Testing

struct BoundingBoxTests {
    private func map(_ rows: [[Float]]) -> ExplanationMap {
        ExplanationMap(channels: 1, height: rows.count, width: rows[0].count, values: rows.flatMap { $0 }, isSigned: false)
    }

    @Test func theLargestPartComesFirst() {
        let map = map([
            [9, 0, 0, 0, 0],
            [0, 0, 3, 3, 0],
            [0, 0, 0, 3, 0],
            [4, 4, 0, 0, 3],
            [1, 1, 0, 0, 0],
        ])
        // 20 % of 9 is 1.8; corners do not connect.
        #expect(
            map.boundingBoxes(in: Size(width: 5, height: 5)) == [
                Rectangle(x: 2, y: 1, width: 2, height: 2), Rectangle(x: 0, y: 3, width: 2, height: 1),
                Rectangle(x: 0, y: 0, width: 1, height: 1), Rectangle(x: 4, y: 3, width: 1, height: 1),
            ])
        #expect(map.boundingBox(share: 0.5, in: Size(width: 5, height: 5)) == Rectangle(x: 0, y: 0, width: 1, height: 1))
    }

    @Test func nothingAboveZeroHasNoBox() {
        #expect(map([[0, -1], [-2, 0]]).boundingBox(in: Size(width: 8, height: 8)) == nil)
        #expect(map([[.nan, .infinity]]).boundingBox(in: Size(width: 8, height: 8)) == nil)
        #expect(map([[.nan, 1]]).boundingBox(in: Size(width: 2, height: 1)) == Rectangle(x: 1, y: 0, width: 1, height: 1))
    }

    @Test func stretchesBetweenTheMiddlesOfCells() {
        #expect(map([[0, 4]]).stretched(to: Size(width: 4, height: 1)).values == [0, 1, 3, 4])
        #expect(map([[2]]).stretched(to: Size(width: 3, height: 2)).values == [2, 2, 2, 2, 2, 2])
        let same = map([[1, 2], [3, 4]])
        #expect(same.stretched(to: Size(width: 2, height: 2)) == same)
        #expect(map([[0, 0], [0, 8]]).stretched(to: Size(width: 4, height: 4)).values[15] == 8)
        #expect(map([[0, 8]]).boundingBox(in: Size(width: 8, height: 2)) == Rectangle(x: 3, y: 0, width: 5, height: 2))
    }

    /// A small part that holds the maximum is meant, though another is larger, and though it stands within the other's box.
    @Test func theBoxIsAroundTheMaximum() {
        let ring = map([
            [1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 4, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1],
        ])
        let size = Size(width: 5, height: 5)
        #expect(ring.boundingBox(in: size) == Rectangle(x: 0, y: 0, width: 5, height: 5))
        #expect(ring.peakBox(in: size) == Rectangle(x: 2, y: 2, width: 1, height: 1))
        #expect(map([[0, 0], [0, 0]]).peakBox(in: size) == nil && map([[.nan, .infinity]]).peakBox(in: size) == nil)
        #expect(map([[-2, -1]]).peakBox(in: size) == nil)
    }

    /// A part that covers nearly all points at nothing: no box, and the reason is said.
    @Test func aMapThatIsSpreadOutHasNoBox() throws {
        let method = try ClassActivationMap.parse([])
        let size = Size(width: 10, height: 10)
        let flat = map([[3, 3, 3], [3, 4, 3], [3, 3, 3]])
        #expect(method.boxes(of: flat, in: size).isEmpty)
        let reason = try #require(method.reasonForNoBox(of: flat, in: size))
        #expect(reason.contains("spread out") && reason.contains("100 %"))
        let spot = map([[0, 0, 0], [0, 4, 0], [0, 0, 0]])
        #expect(method.boxes(of: spot, in: size).count == 1 && method.reasonForNoBox(of: spot, in: size) == nil)
        #expect(try ClassActivationMap.parse(["--boxes", "largest"]).boxes(of: flat, in: size).count == 1)
        #expect(try ClassActivationMap.parse(["--boxes", "none"]).reasonForNoBox(of: flat, in: size) == nil)
    }
}
