import CKernels
import Foundation

/// Looks for one patch of pixels that is near the maxima of a neuron on a label's pictures, and not on others.
///
/// From half of the label's pictures the patch is made: of those in the middle of some regions the one that the other regions
/// match best, and then twice the mean of what it matches, without the worst quarter. In the other half, and in pictures of
/// other labels, it is looked for by normalised cross-correlation (`ndx_match_patch`). How well it has to match, its own half
/// says: nearly as well as in four fifths of it, and never less than ``same``.
struct PatchSearch {
    /// No less of a correlation makes a patch the same.
    static let same = 0.85
    /// The correlation that so large a share of the pictures that made the patch does not reach, less what it may fall short of
    /// that.
    private static let unlike = (share: 0.2, margin: 0.02)
    /// More of the other labels' pictures than this do not have the patch.
    static let mostOthers = 0.05
    /// Of a picture's longer side, the side of a patch.
    private static let sizes = [1.0 / 10, 1.0 / 6.5]
    private static let smallestSide = 5
    /// The side of a region in which a patch is looked for: at least of the patch's, at most of the picture's.
    private static let reach = (patch: 2.6, picture: 0.6)
    private static let seeds = 8
    /// The standard deviation of a patch's values, from 0 to 1: what is plainer looks like any other plain place.
    private static let leastContrast = 0.1
    /// The deviation of noise, which no correlation is made of.
    private static let noise = 0.03

    /// A picture, and the middle and length of what a neuron sees where it is strongest, in pixels of the picture.
    struct Sight {
        var picture: SmallPicture
        var y: Double
        var x: Double
        var length: Double
    }

    struct Finding {
        /// Of the label's pictures that were not used to make the patch: those that have it.
        var share: Double
        /// Of the others.
        var expected: Double
        var p: Double
    }

    /// The best of all sizes; nil where no patch could be made of the pictures. p is times the sizes that were tried.
    static func finding(own: [Sight], others: [Sight]) -> Finding? {
        let findings = sizes.compactMap { finding(own: own, others: others, size: $0) }
        let best = findings.max { ($0.share - $0.expected, -$0.p) < ($1.share - $1.expected, -$1.p) }
        return best.map { Finding(share: $0.share, expected: $0.expected, p: min(1, $0.p * Double(sizes.count))) }
    }

    private static func finding(own: [Sight], others: [Sight], size: Double) -> Finding? {
        let regions = own.compactMap { Region($0, size) }
        let elsewhere = others.compactMap { Region($0, size) }
        let (making, judged) = (half(regions, 0), half(regions, 1))
        guard regions.count >= LabelledPictures.fewest, elsewhere.count >= LabelledPictures.fewest,
            let patch = patch(of: making), patch.contrast >= leastContrast
        else { return nil }
        let known = making.map { Double(patch.match(in: $0).score) }.sorted()
        let bound = max(same, known[Int(unlike.share * Double(known.count - 1))] - unlike.margin)
        func isThere(_ region: Region) -> Bool { Double(patch.match(in: region).score) >= bound }
        let (found, foundOthers) = (judged.count(where: isThere), elsewhere.count(where: isThere))
        return Finding(
            share: Double(found) / Double(judged.count), expected: Double(foundOthers) / Double(elsewhere.count),
            p: hypergeometricTail(found, of: judged.count, and: foundOthers, of: elsewhere.count))
    }

    private static func half<T>(_ list: [T], _ wanted: Int) -> [T] { list.indices.filter { $0 % 2 == wanted }.map { list[$0] } }

    private static func patch(of regions: [Region]) -> Patch? {
        var best: (score: Float, patch: Patch)?
        for region in regions.prefix(seeds) {
            guard let side = regions.map(\.patchSide).min(), let seed = region.middle(side), seed.contrast >= noise else {
                continue
            }
            let scores = regions.map { seed.match(in: $0).score }.sorted()
            let score = scores[scores.count / 4]
            if best.map({ score > $0.score }) ?? true { best = (score, seed) }
        }
        guard var patch = best?.patch else { return nil }
        for _ in 0..<2 { patch = patch.mean(over: regions) }
        return patch
    }

    /// The part of a picture in which a patch is looked for.
    private struct Region {
        let planes: [Float]
        let rows: Int
        let columns: Int
        let patchSide: Int

        /// Nil where the picture is smaller than the patch.
        init?(_ sight: Sight, _ size: Double) {
            let picture = sight.picture
            let longer = max(picture.width, picture.height)
            patchSide = max(PatchSearch.smallestSide, Int((Double(longer) * size).rounded()))
            let least = reach.patch * Double(patchSide)
            let length = Int(max(least, min(sight.length, reach.picture * Double(longer))).rounded())
            (rows, columns) = (min(length, picture.height), min(length, picture.width, Int(NDX_WIDEST_REGION)))
            guard rows >= patchSide, columns >= patchSide else { return nil }
            func start(_ middle: Double, _ length: Int, _ whole: Int) -> Int {
                Int(min(max((middle - Double(length) / 2).rounded(), 0), Double(whole - length)))
            }
            let (y, x) = (start(sight.y, rows, picture.height), start(sight.x, columns, picture.width))
            planes = picture.planes(columns: x..<x + columns, rows: y..<y + rows)
        }

        /// The pixels of a window: three planes.
        func window(y: Int, x: Int, side: Int) -> [Float] {
            (0..<3 * side).flatMap { line -> ArraySlice<Float> in
                let start = ((line / side) * rows + y + line % side) * columns + x
                return planes[start..<start + side]
            }
        }

        func middle(_ side: Int) -> Patch? {
            guard rows >= side, columns >= side else { return nil }
            return Patch(side: side, planes: window(y: (rows - side) / 2, x: (columns - side) / 2, side: side))
        }
    }

    private struct Patch {
        let side: Int
        let planes: [Float]

        /// The standard deviation of its values.
        var contrast: Double {
            let mean = planes.reduce(0) { $0 + Double($1) } / Double(planes.count)
            return (planes.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(planes.count)).squareRoot()
        }

        func match(in region: Region) -> ndx_patch_match {
            let least = PatchSearch.noise * Double(planes.count).squareRoot()
            return ndx_match_patch(planes, side, region.planes, region.rows, region.columns, least)
        }

        /// The mean of what it matches best in three quarters of the regions.
        func mean(over regions: [Region]) -> Patch {
            let matches = regions.map { ($0, match(in: $0)) }.sorted { $0.1.score > $1.1.score }
            let kept = matches.prefix(max(2, matches.count * 3 / 4))
            var sum = [Float](repeating: 0, count: planes.count)
            for (region, match) in kept {
                for (index, value) in region.window(y: Int(match.y), x: Int(match.x), side: side).enumerated() {
                    sum[index] += value
                }
            }
            return Patch(side: side, planes: sum.map { $0 / Float(kept.count) })
        }
    }
}
