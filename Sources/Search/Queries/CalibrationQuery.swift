public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// Whether the network is right as often as it is sure: answers in bins by their probability, with the share of right ones.
///
/// The expected calibration error is the mean over the bins of |share of right answers − mean probability|, weighted by their images:
/// Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017, https://arxiv.org/abs/1706.04599. Bins are of equal
/// width; a bin has its upper end, and the first its lower end too.
public struct CalibrationQuery: Query {
    public static let name = "calibration"
    public static let abstract = "Compare how sure the network is with how often it is right."
    public static let discussion = """
        Examples:

          neurodex calibration shop.sqlite
          neurodex calibration shop.sqlite --bins 15 --format json

        The first row is of all images: its error is the expected calibration error, the mean of the bins' errors weighted by their images. \
        Probabilities are made of the scores that the store keeps, as the network's file makes them, or else by a softmax.
        """

    @Option(help: "Bins of probability.")
    public var bins = 10

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(bins: Int = 10, condition: String? = nil) { (self.bins, self.condition) = (bins, condition) }

    public static func samples(_ ground: SampleGround) -> [CalibrationQuery] {
        guard ground.className != nil else { return [] }
        return [CalibrationQuery(bins: 10), CalibrationQuery(bins: 3, condition: ground.condition)]
    }

    public func check(isDrawn: Bool) throws {
        guard (1...1000).contains(bins) else { throw QueryError.outside(option: "--bins", value: "\(bins)", range: "1 to 1000") }
    }

    public var options: [String] { Spelling.option("--bins", "\(bins)") + Spelling.option("--where", condition) }

    /// Answers whose probability lies between two ends.
    public struct Bin: Hashable, TableRow {
        /// From 1; nil of all answers.
        public var bin: Int?
        public var from: Double
        public var to: Double
        /// The share of right answers.
        public var accuracy: Proportion
        /// The mean probability of the answers, 0 … 1.
        public var confidence: Double
        /// |accuracy − confidence|; of all answers the expected calibration error.
        public var error: Double
        /// The mean of −log of the label's probability, in nats.
        public var logLoss: Double

        public static let columns: [ListColumn<Bin>] = list {
            column("bin", \.bin).shown { $0.bin.map { .value($0) } ?? .text("all") }
            column("from", \.from)
            column("to", \.to)
            column("images") { $0.accuracy.total }
            column("right") { $0.accuracy.count }
            column("confidence", title: "sure %", \.confidence).shown { .number(String(format: "%.1f", 100 * $0.confidence)) }
            column("accuracy", title: "right %") { $0.accuracy.share }.shown { Optional($0.accuracy).cell(\.share) }
            column("low", title: "95 % from") { $0.accuracy.low }.shown { Optional($0.accuracy).cell(\.low) }
            column("high", title: "to ") { $0.accuracy.high }.shown { Optional($0.accuracy).cell(\.high) }
            column("error", title: "error %", \.error).shown { .number(String(format: "%.1f", 100 * $0.error)) }
            column("log_loss", title: "log loss", \.logLoss)
        }
    }

    /// All answers first, then the bins that have some.
    /// - Throws: ``StoreError``; ``QueryError/noScores(reason:)``.
    public func run(in store: Store) throws -> Findings<Bin> {
        try check(isDrawn: false)
        let answers = try store.read { try AnswerProbabilities($0, where: condition) }
        let all = answers.images
        guard !all.isEmpty else { throw QueryError.noScores(reason: "no image has both a label that is a class and scores") }
        let members = Dictionary(grouping: all) { number(of: $0.confidence) }
        let bins = members.keys.sorted().compactMap { number in
            members[number].map { bin($0, number: number + 1, from: end(number), to: end(number + 1)) }
        }
        var whole = bin(all, number: nil, from: 0, to: 1)
        whole.error = bins.reduce(0) { $0 + $1.error * Double($1.accuracy.total) } / Double(all.count)
        var remarks: [Remark] = []
        if let example = answers.example {
            remarks.append(
                .notJudged(
                    images: answers.leftOut, of: answers.leftOut + all.count, example: try store.image(id: example)?.path ?? "",
                    reason: "the label is missing or no class of the network, or a score is no finite number"))
        }
        return Findings([whole] + bins, remarks: remarks)
    }

    /// Of `bins + 1` ends.
    private func end(_ index: Int) -> Double { Double(index) / Double(bins) }

    /// The bin whose upper end is the first that is not below the probability.
    private func number(of confidence: Double) -> Int {
        var number = min(max(Int((confidence * Double(bins)).rounded(.up)) - 1, 0), bins - 1)
        while number > 0, confidence <= end(number) { number -= 1 }
        while number < bins - 1, confidence > end(number + 1) { number += 1 }
        return number
    }

    private func bin(_ images: [AnswerProbability], number: Int?, from: Double, to: Double) -> Bin {
        let accuracy = Proportion(images.count { $0.isRight }, of: images.count)
        let confidence = images.reduce(0) { $0 + $1.confidence } / Double(images.count)
        // As scikit-learn, so that one answer of probability 0 is no infinity.
        let loss = images.reduce(0) { $0 - log(max($1.ofLabel, Double.ulpOfOne)) } / Double(images.count)
        return Bin(
            bin: number, from: from, to: to, accuracy: accuracy, confidence: confidence,
            error: abs(accuracy.share - confidence), logLoss: loss)
    }
}
