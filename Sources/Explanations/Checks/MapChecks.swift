import Foundation

/// What can be said for and against a map: deletion, insertion, and whether it depends on what the network has learnt.
///
/// ```swift
/// let checks = try MapChecks(of: method, map: map, subject: subject, target: target, by: explainer)
/// panel.checks = checks
/// ```
///
/// The same map, settings and seeds always give the same checks; they are plain values, to be kept as JSON.
public struct MapChecks: Codable, Equatable, Sendable {
    /// By which rules maps are judged now. 1 judged random weights by their last stage alone, and let guided backpropagation
    /// pass. 2 had one limit for maps of pixels and of regions, and compared deletion and insertion with the mean of three moved maps.
    public static let currentRule = 3

    /// About how many times checking a map runs the network, forward or back.
    public static let passes = 400

    /// By which rules these were.
    public var rule: Int
    /// Nil where they could not be judged.
    public var curves: PerturbationCurves?
    /// Nil where it could not be judged.
    public var randomisation: WeightRandomisation?
    /// Why a check could not be made, a sentence each.
    public var obstacles: [Check: String]

    /// Runs all checks. Deletion and insertion are some 330 forward passes (22 × steps), the randomisation makes the map 14 times
    /// anew.
    ///
    /// A check that cannot be made, of a map that is the same everywhere or a value that is not finite, is one of `obstacles`,
    /// not an error.
    ///
    /// - Throws: `NetworkError`, and what the observer of `ExplanationProgress` throws.
    public init(
        of method: any ExplanationMethod, map: ExplanationMap, subject: InputImage, target: Target, by explainer: Explainer,
        settings: PerturbationCurves.Settings = .init(), stages: Int = 8
    ) throws {
        rule = Self.currentRule
        obstacles = [:]
        let served = try explainer.served(target, on: subject)
        let (target, explainer) = (served.target, served.explainer)
        do {
            curves = try PerturbationCurves(of: map, subject: subject, target: target, by: explainer, settings: settings)
        } catch let error as ExplanationError {
            for check in [Check.deletion, .insertion] { obstacles[check] = Self.sentence(error) }
        }
        do {
            randomisation = try WeightRandomisation(
                of: method, map: map, subject: subject, target: target, by: explainer, stages: stages, seed: settings.seed)
        } catch let error as ExplanationError {
            obstacles[.randomisation] = Self.sentence(error)
        }
        if let randomisation, survivedParts.isEmpty, let obstacle = randomisation.obstacle {
            obstacles[.randomisation] = obstacle
        }
    }
}

// MARK: - The verdict

extension MapChecks {
    public enum Check: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
        case randomisation, deletion, insertion

        /// As in "passes deletion".
        var text: String { self == .randomisation ? "random weights" : rawValue }
    }

    public struct Failure: Codable, Equatable, Sendable {
        public var check: Check
        /// At most 60 characters.
        public var sentence: String
    }

    private static let readingOrder: [Check] = [.deletion, .insertion, .randomisation]
    static let judgedParts = WeightCascade.Part.allCases

    /// A map whose correlation with the original is above this, the weights of a part of the network being noise, does not show
    /// what that part has learnt. Measured on maps that have to fail and maps that have to pass: docs/checks.md. Maps of regions have few
    /// cells, and are alike by chance more often.
    public static func largestCorrelation(of grain: MapGrain) -> Double {
        switch grain {
        case .pixels: 0.45
        case .regions: 0.55
        }
    }

    /// The checks that the map failed, gravest first: deletion and insertion where its area is not better than those of eight of nine maps
    /// moved to other places.
    public var failures: [Failure] {
        Check.allCases.compactMap { check in sentence(of: check).map { Failure(check: check, sentence: $0) } }
    }

    /// The parts of the network that the map does not depend on.
    public var survivedParts: [(part: WeightCascade.Part, correlation: Double)] {
        Self.judgedParts.compactMap { part in
            guard let randomisation, let correlation = randomisation.correlation(at: part), correlation > randomisation.limit
            else { return nil }
            return (part, correlation)
        }
    }

    /// One line to print beside the map.
    public var verdict: String {
        let failures = failures.map(\.sentence)
        let passed = Self.readingOrder.filter { obstacles[$0] == nil && sentence(of: $0) == nil }.map(\.text)
        let outcome = failures.isEmpty && !passed.isEmpty ? ["passes " + Self.list(passed)] : failures
        return (outcome + notJudged).joined(separator: "; ")
    }

    private static func list(_ words: [String]) -> String {
        words.count > 1 ? words.dropLast().joined(separator: ", ") + " and \(words[words.count - 1])" : words.first ?? ""
    }

    /// What could not be judged, and why, a sentence each reason.
    public var notJudged: [String] {
        var sentences: [String] = []
        for check in Self.readingOrder {
            guard let obstacle = obstacles[check] else { continue }
            let checks = Self.readingOrder.filter { obstacles[$0] == obstacle }.map(\.text)
            let sentence = "not judged by \(Self.list(checks)): \(obstacle)"
            if !sentences.contains(sentence) { sentences.append(sentence) }
        }
        return sentences
    }

    private static func sentence(_ error: ExplanationError) -> String {
        if case .notFinite(let what) = error { return "\(what) holds values that are not finite" }
        return error.description
    }

    /// What is wrong; nil where nothing is, or where it could not be judged.
    private func sentence(of check: Check) -> String? {
        func number(_ value: Double) -> String { String(format: "%.2f", value) }
        switch check {
        case .randomisation:
            guard let (part, correlation) = survivedParts.first else { return nil }
            return "survives random weights: \(part.rawValue), \(number(correlation))"
        case .deletion:
            guard let curve = curves?.deletion, !curve.isBetter(by: <) else { return nil }
            return "deletion no better than random (\(number(curve.area)), \(number(curve.movedArea)))"
        case .insertion:
            guard let curve = curves?.insertion, !curve.isBetter(by: >) else { return nil }
            return "insertion no better than random (\(number(curve.area)), \(number(curve.movedArea)))"
        }
    }
}
