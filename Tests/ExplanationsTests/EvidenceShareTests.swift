import Explanations
import Images
import Testing

/// How much of a map lies in boxes, and means of maps.
@Suite struct EvidenceShareTests {
    private let frame = Placement(
        source: Size(width: 4, height: 2), resized: Size(width: 4, height: 2), x: 0, y: -1, crop: Size(width: 4, height: 4))

    private func map(_ values: [Float], isSigned: Bool) -> ExplanationMap {
        ExplanationMap(channels: 1, height: 4, width: 4, values: values, isSigned: isSigned)
    }

    /// Rows 1 and 2 show the picture; the left half is boxed.
    @Test func paddingAndWhatIsBelowZeroDoNotCount() throws {
        let values: [Float] = [9, 9, 9, 9, 1, 2, 3, -4, 1, 0, 0, 1, 9, 9, 9, 9]
        let box = [Rectangle(x: 0, y: 0, width: 2, height: 4)]
        #expect(try map(values, isSigned: true).evidence(in: box, placement: frame) == 4.0 / 8)
        #expect(try map(values, isSigned: false).evidence(in: box, placement: frame) == 4.0 / 12)
        #expect(try map(values, isSigned: true).evidence(in: [], placement: frame) == nil)
        let empty = map([Float](repeating: -1, count: 16), isSigned: true)
        #expect(try empty.evidence(in: box, placement: frame) == nil)
        var broken = values
        broken[5] = .nan
        #expect(throws: ExplanationError.notFinite(what: "the map to sum up")) {
            try map(broken, isSigned: true).evidence(in: box, placement: frame)
        }
    }

    @Test func aMeanIsOfWhatIsDrawn() {
        let (signed, plain) = (MapLook(isSigned: true, quantity: ""), MapLook(isSigned: false, quantity: ""))
        let (a, b) = (
            map([Float](repeating: -1, count: 16), isSigned: true), map([Float](repeating: 3, count: 16), isSigned: true)
        )
        #expect(ExplanationMap.mean(of: [a, b], look: signed)?.values == [Float](repeating: 1, count: 16))
        #expect(ExplanationMap.mean(of: [a, b], look: plain)?.values == [Float](repeating: 2, count: 16))
        let other = ExplanationMap(channels: 1, height: 1, width: 1, values: [1], isSigned: true)
        #expect(ExplanationMap.mean(of: [a, other], look: signed) == nil)
        #expect(ExplanationMap.mean(of: [], look: signed) == nil)
    }

    /// Rows stand in columns once they would be more than three times as high as wide, and none is lost.
    @Test func rowsAreSharedOutEvenly() {
        func split(_ count: Int, bound: (Int) -> Bool = { _ in false }) -> [Range<Int>] {
            Columns.split(
                heights: [Double](repeating: 100, count: count), gap: 20, width: 200, columnGap: 20, isBound: bound)
        }
        #expect(split(0) == [0..<0] && split(5) == [0..<5])
        #expect(split(12) == [0..<6, 6..<12])
        #expect(split(100).map(\.count).reduce(0, +) == 100)
        #expect(split(12) { $0 == 6 } == [0..<7, 7..<12])
    }
}
