public import Images
public import NeuralNetwork

/// Before a long run: whether another way to prepare pictures would be right far more often.
public struct RecipeCheck {
    /// Images that are tried, and how many more must be right with another recipe: some three deviations of a difference by chance.
    static let (sampleSize, margin) = (64, 12)
    /// Images from which on the check takes less than a tenth of the run.
    static let leastImages = 2560

    private let trial: RecipeTrial?

    /// - Parameter classes: the names of the network's classes; without them nothing is checked.
    public init(_ network: Network, classes: [String], jobs: Int) {
        trial = classes.isEmpty ? nil : RecipeTrial(network, classes: classes, jobs: jobs)
        input = network.input
    }

    private let input: Network.Input

    /// A sentence where another of the usual scalings of pixel values does clearly better on 64 of the images; nil where none does, where there are
    /// too few images to be worth it, or too few with labels that are names of classes.
    ///
    /// - Throws: `NetworkError`.
    public func warning(_ preprocessing: Preprocessing, on items: [Dataset.Item]) throws -> String? {
        guard let trial, items.count >= Self.leastImages else { return nil }
        let sample = trial.sample(of: items, count: Self.sampleSize).filter(trial.isJudged)
        guard sample.count == Self.sampleSize else { return nil }
        let chosen = try trial.outcome(of: RecipeTrial.Recipe(name: "chosen", preprocessing: preprocessing), on: sample)
        guard chosen.right + Self.margin <= chosen.labelled else { return nil }
        let others = try RecipeTrial.scalings(for: input).map { try trial.outcome(of: $0, on: sample) }
        guard let best = others.max(by: { $0.right < $1.right }), best.right >= chosen.right + Self.margin else { return nil }
        return """
            pictures may be prepared wrongly: of \(sample.count) images the network is right on \(chosen.right) as they are prepared now \
            (\(chosen.pictures)), and on \(best.right) as '\(best.recipe)' (\(best.pictures)); 'neurodex preprocessing' tries more
            """
    }
}
