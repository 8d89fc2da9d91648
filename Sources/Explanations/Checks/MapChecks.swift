import Foundation

/// What can be said for and against a map: deletion, insertion, and whether it depends on what the network has learnt.
///
/// ```swift
/// let checks = try MapChecks(of: method, map: map, subject: subject, target: target, by: explainer)
/// panel.note = checks.verdict
/// ```
///
/// The same map, settings and seeds always give the same checks; they are plain values, to be kept as JSON.
public struct MapChecks: Codable, Equatable, Sendable {
    public var curves: PerturbationCurves
    public var randomisation: WeightRandomisation

    /// Runs all checks. Deletion and insertion are some 450 forward passes (14 × steps), the randomisation makes the map 8 times anew.
    ///
    /// - Throws: as `PerturbationCurves` and `WeightRandomisation`.
    public init(
        of method: any ExplanationMethod, map: ExplanationMap, subject: Subject, target: Target, by explainer: Explainer,
        settings: PerturbationCurves.Settings = .init(), stages: Int = 8
    ) throws {
        curves = try PerturbationCurves(of: map, subject: subject, target: target, by: explainer, settings: settings)
        randomisation = try WeightRandomisation(
            of: method, map: map, subject: subject, target: target, by: explainer, stages: stages, seed: settings.seed)
    }
}

// MARK: - The verdict

extension MapChecks {
    public enum Check: String, Codable, Sendable, CaseIterable {
        case randomisation, deletion, insertion
    }

    public struct Failure: Codable, Equatable, Sendable {
        public var check: Check
        /// At most 60 characters.
        public var sentence: String
    }

    /// With all weights random, a map that still ranks pixels like the original by more than this is not about the network's weights. Halfway
    /// between what says nothing of the original, 0, and the picture's edges, 1. On SqueezeNet 1.1 occlusion came to 0.2, the gradient to 0.2,
    /// guided backpropagation to 0.4, and integrated gradients, which are multiplied by the picture, to 0.5.
    public static let largestRandomCorrelation = 0.5

    /// The checks that the map failed, gravest first: deletion and insertion where its area is no better than the mean of the map moved to
    /// other places.
    public var failures: [Failure] {
        Check.allCases.compactMap { check in sentence(of: check).map { Failure(check: check, sentence: $0) } }
    }

    /// One line to print beside the map.
    public var verdict: String {
        let failures = failures
        guard let first = failures.first else { return "passes deletion, insertion and random weights" }
        return failures.count == 1
            ? first.sentence : first.sentence + "; " + failures.dropFirst().map(\.sentence).joined(separator: "; ")
    }

    /// What is wrong; nil where nothing is.
    private func sentence(of check: Check) -> String? {
        func number(_ value: Double) -> String { String(format: "%.2f", value) }
        switch check {
        case .randomisation:
            guard let correlation = randomisation.finalCorrelation, correlation > Self.largestRandomCorrelation else {
                return nil
            }
            return "stays alike with random weights (correlation \(number(correlation)))"
        case .deletion:
            let curve = curves.deletion
            guard curve.area >= curve.movedArea else { return nil }
            return "deletion no better than random (\(number(curve.area)), \(number(curve.movedArea)))"
        case .insertion:
            let curve = curves.insertion
            guard curve.area <= curve.movedArea else { return nil }
            return "insertion no better than random (\(number(curve.area)), \(number(curve.movedArea)))"
        }
    }
}
