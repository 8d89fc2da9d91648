public import ArgumentParser
import Support

/// Which images of a neuron's are shown.
public enum Choice: Hashable, Sendable {
    /// The strongest first.
    case top
    /// The weakest first.
    case lowest
    /// From every tenth of the distribution, each a list of its own, the strongest tenth first: images evenly spaced by rank.
    case decile
    /// Drawn at random, the same images for every neuron that has them; the strongest first.
    case random
    /// Those nearest to a value, on either side.
    case near(Double)
}

extension Choice: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "top": self = .top
        case "lowest": self = .lowest
        case "decile": self = .decile
        case "random": self = .random
        default:
            guard argument.hasPrefix("near:"), let value = Double(argument.dropFirst("near:".count)), value.isFinite else {
                return nil
            }
            self = .near(value)
        }
    }

    /// As the command line takes it.
    public var argument: String {
        switch self {
        case .top: "top"
        case .lowest: "lowest"
        case .decile: "decile"
        case .random: "random"
        case .near(let value): "near:\(value)"
        }
    }

    public static var allValueStrings: [String] { ["top", "lowest", "decile", "random", "near:VALUE"] }

    public var defaultValueDescription: String { "top" }
}

/// Chooses images by one score an image. Every choice is exact: images whose score is NaN are never chosen, ties go by id.
struct Chooser {
    let choice: Choice
    let count: Int
    let seed: Int
    let mask: [UInt8]?
    /// Drops images that are nearly one chosen before them.
    let distinct: Distinct?

    /// A list of images, and the tenth it is from: 10 is the strongest.
    struct Part {
        var decile: Int?
        var images: [Int]
    }

    func parts(of scores: [Double]) throws -> [Part] {
        switch choice {
        case .top: [Part(images: try first(by: scores))]
        case .lowest: [Part(images: try first(by: scores.map { -$0 }))]
        case .near(let value): [Part(images: try first(by: scores.map { -abs($0 - value) }))]
        case .random:
            [
                Part(
                    images: try first(by: scores.enumerated().map { $1.isNaN ? .nan : Self.lot(seed, $0) }).sorted { a, b in
                        scores[a] == scores[b] ? a < b : scores[a] > scores[b]
                    })
            ]
        case .decile: deciles(of: scores)
        }
    }

    /// The first images by a key, the largest first.
    private func first(by keys: [Double]) throws -> [Int] {
        guard let distinct else { return largest(keys, mask: mask, count: count) }
        var limit = count
        while true {
            limit = limit > keys.count / 4 ? keys.count : limit * 4
            let kept = try distinct.kept(of: largest(keys, mask: mask, count: limit), count: count)
            if kept.count == count || limit == keys.count { return kept }
        }
    }

    private func deciles(of scores: [Double]) -> [Part] {
        let ranking = largest(scores, mask: mask, count: scores.count)
        return (0..<10).map { part in
            let all = ranking[part * ranking.count / 10..<(part + 1) * ranking.count / 10]
            let taken = min(count, all.count)
            return Part(
                decile: 10 - part, images: (0..<taken).map { all[all.startIndex + (2 * $0 + 1) * all.count / (2 * taken)] })
        }
    }

    /// An image's lot, from 0 to 1, by ``SplitMix64``.
    static func lot(_ seed: Int, _ image: Int) -> Double {
        let state = UInt64(bitPattern: Int64(seed)) &* 0xD134_2543_DE82_EF95 &+ UInt64(image + 1) &* 0x9E37_79B9_7F4A_7C15
        return Double(SplitMix64.mixed(state) >> 11) / Double(1 << 53)
    }
}
