import ArgumentParser
import Explanations
import Foundation

/// What the lines of `checks` come to: how often a rule that was found on one half of the pictures errs on the other.
struct ChecksTable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks-table", abstract: "Correlations and error rates of the lines that 'checks' has written.")

    @Argument(help: "Files that 'checks' has written.")
    var files: [String]

    typealias Part = WeightCascade.Part

    func run() throws {
        let samples = try files.flatMap(CheckedSample.read)
        let networks = Set(samples.map(\.network)).sorted()
        print("| network | method | has to | " + Part.allCases.map(\.rawValue).joined(separator: " | ") + " | called bad |")
        print("|---|---|---|" + String(repeating: "--:|", count: Part.allCases.count + 1))
        for network in networks {
            for method in CheckedMethod.names {
                let own = samples.filter { $0.network == network && $0.method == method }
                guard !own.isEmpty else { continue }
                let cells = Part.allCases.map { part in Self.spread(own.compactMap { $0.values[part]?[.signed] }) }
                let heldOut = own.filter { !$0.calibrates }
                let bad = heldOut.count { sample in Part.allCases.contains { Self.exceeds(sample, $0) } }
                let has = CheckedMethod.isGood(method) ? "pass" : "fail"
                print("| \(network) | \(method) | \(has) | \(cells.joined(separator: " | ")) | \(bad) of \(heldOut.count) |")
            }
        }
        print("\nThresholds found on even pictures, errors of them on odd ones: good called bad, bad called good")
        for (grain, samples) in [
            (MapGrain.pixels, samples.filter { $0.grain == .pixels }), (.regions, samples.filter { $0.grain == .regions }),
        ] {
            for statistic in Statistic.allCases {
                for parts in [[.classLayer], [.upperHalf], [.all], [.classLayer, .upperHalf], Part.allCases] {
                    print("\(grain.rawValue), " + Self.line(statistic, parts, samples))
                }
            }
        }
        for (name, part) in [("even", samples.filter(\.calibrates)), ("odd", samples.filter { !$0.calibrates })] {
            for (kind, own) in [
                ("all", part), ("pixels", part.filter { $0.grain == .pixels }), ("regions", part.filter { $0.grain == .regions }),
            ] {
                let errors = Self.errors(own) { sample in Part.allCases.contains { Self.exceeds(sample, $0) } }
                print("The program's own rule on \(name) pictures, \(kind): \(errors)")
            }
        }
    }

    private static func exceeds(_ sample: CheckedSample, _ part: Part) -> Bool {
        let limit = MapChecks.largestCorrelation(of: CheckedMethod.grain(of: sample.method))
        return sample.values[part]?[.signed].map { $0 > limit } ?? false
    }

    private static func line(_ statistic: Statistic, _ parts: [Part], _ samples: [CheckedSample]) -> String {
        let calibrating = samples.filter(\.calibrates)
        let limits = parts.map { ($0, threshold(statistic, $0, calibrating)) }
        let errors = errors(samples.filter { !$0.calibrates }) { sample in
            limits.contains { part, limit in (sample.values[part]?[statistic] ?? -1) > limit }
        }
        let names = limits.map { String(format: "\($0.rawValue) > %.2f", $1) }.joined(separator: " or ")
        return "\(statistic.rawValue), \(names): \(errors)"
    }

    /// Where the shares of good maps above and of bad maps below add up to least; the middle of all such places.
    private static func threshold(_ statistic: Statistic, _ part: Part, _ samples: [CheckedSample]) -> Double {
        let good = samples.filter(\.isGood).compactMap { $0.values[part]?[statistic] }
        let bad = samples.filter { !$0.isGood }.compactMap { $0.values[part]?[statistic] }
        let candidates = (0...200).map { Double($0) / 200 }
        let losses = candidates.map { limit in
            Double(good.count { $0 > limit }) / Double(max(good.count, 1))
                + Double(bad.count { $0 <= limit }) / Double(max(bad.count, 1))
        }
        let least = losses.min() ?? 0
        let best = candidates.indices.filter { losses[$0] == least }.map { candidates[$0] }
        return ((best.first ?? 0) + (best.last ?? 0)) / 2
    }

    private static func errors(_ samples: [CheckedSample], _ isCalledBad: (CheckedSample) -> Bool) -> String {
        let (good, bad) = (samples.filter(\.isGood), samples.filter { !$0.isGood })
        let (wrong, missed) = (good.count(where: isCalledBad), bad.count { !isCalledBad($0) })
        return String(
            format: "%d of %d (%.1f %%), %d of %d (%.1f %%)", wrong, good.count,
            100 * Double(wrong) / Double(max(good.count, 1)), missed, bad.count, 100 * Double(missed) / Double(max(bad.count, 1)))
    }

    /// The median, with the 5 % and 95 % quantiles.
    private static func spread(_ values: [Double]) -> String {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return "not judged" }
        func quantile(_ share: Double) -> Double { sorted[Int((share * Double(sorted.count - 1)).rounded())] }
        return String(format: "%.2f (%.2f … %.2f)", quantile(0.5), quantile(0.05), quantile(0.95))
    }
}

enum Statistic: String, CaseIterable { case signed, magnitudes, structure }

/// One map: its similarities with those of random networks, a mean over these.
struct CheckedSample {
    var network: String
    var picture: Int
    var method: String
    var values: [WeightCascade.Part: [Statistic: Double]] = [:]

    var grain: MapGrain { CheckedMethod.grain(of: method) }
    var isGood: Bool { CheckedMethod.isGood(method) }
    /// Whether thresholds are found by it, and not judged.
    var calibrates: Bool { picture.isMultiple(of: 2) }

    static func read(_ path: String) throws -> [CheckedSample] {
        var lists: [[String]: [WeightCascade.Part: [Statistic: [Double]]]] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst() {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 8, let part = WeightCascade.Part(rawValue: cells[3]) else { continue }
            for (statistic, cell) in [(Statistic.magnitudes, cells[5]), (.signed, cells[6]), (.structure, cells[7])] {
                guard let value = Double(cell) else { continue }
                lists[Array(cells[0..<3]), default: [:]][part, default: [:]][statistic, default: []].append(value)
            }
        }
        return lists.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, parts in
            CheckedSample(
                network: key[0], picture: Int(key[1]) ?? 0, method: key[2],
                values: parts.mapValues { $0.mapValues { $0.reduce(0, +) / Double($0.count) } })
        }
    }
}
