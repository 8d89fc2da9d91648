import Explanations
import Images
import TestSupport
import Testing

struct MaskTests {
    private func mask(_ rows: [String]) -> Mask {
        Mask(width: rows[0].count, height: rows.count, isInside: rows.joined().map { $0 == "#" })
    }

    @Test func areaAndBox() {
        let mask = mask(["......", "..##..", ".#....", "......"])
        #expect(mask.area == 3)
        #expect(mask.boundingBox == Rectangle(x: 1, y: 1, width: 3, height: 2))
        #expect(self.mask(["..", ".."]).boundingBox == nil)
        #expect(mask.map.values.reduce(0, +) == 3 && mask.map.height == 4 && mask.map.width == 6)
    }

    /// Pixels whose middle is inside, right and lower edges outside.
    @Test func ofBoxes() {
        let size = Size(width: 6, height: 4)
        #expect(
            Mask(boxes: [Rectangle(x: 1, y: 1, width: 2, height: 2)], in: size) == mask(["......", ".##...", ".##...", "......"]))
        #expect(
            Mask(
                boxes: [Rectangle(x: 1.4, y: 0.6, width: 1.2, height: 1), Rectangle(x: 4, y: -3, width: 9, height: 5)], in: size)
                == mask(["....##", ".##.##", "......", "......"]))
        #expect(Mask(boxes: [Rectangle(x: 7, y: 1, width: 2, height: 2)], in: size).area == 0)
        #expect(Mask(boxes: [Rectangle(x: 0, y: 0, width: 6, height: 4)], in: size).area == 24)
    }

    @Test func intersectionOverUnion() {
        let mask = mask(["##....", "##....", "......", "......"])
        #expect(mask.intersectionOverUnion(with: [Rectangle(x: 1, y: 0, width: 2, height: 2)]) == 2.0 / 6)
        #expect(
            mask.intersectionOverUnion(with: [
                Rectangle(x: 0, y: 0, width: 1, height: 2), Rectangle(x: 1, y: 0, width: 1, height: 2),
            ]) == 1)
        #expect(mask.intersectionOverUnion(with: []) == 0)
        let corner = self.mask(["#.....", ".#....", "......", "......"])
        #expect(corner.intersectionOverUnion(with: mask) == 0.5)
        #expect(corner.boxIntersectionOverUnion(with: [Rectangle(x: 0, y: 0, width: 2, height: 2)]) == 1)
    }

    @Test func largestPart() {
        let parts = mask(["##...#", "#....#", "...#.#", "##...."])
        #expect(parts.largestPart == mask(["##....", "#.....", "......", "......"]), "of equal ones the first")
        let corners = mask(["#.#", ".#.", "#.#"])
        #expect(corners.largestPart.area == 1, "corners do not touch")
        #expect(mask(["..", ".."]).largestPart.area == 0)
    }
}
