import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// docs/operators.md: every operator, how many of the ONNX project's tests of it pass, and what is refused.
@Suite(.enabled(if: Shared.has(ConformanceTests.folder), "needs real/onnx-node-tests of the shared test data"))
struct OperatorTableTests {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/operators.md")

    /// With `NEURODEX_RECORD` in the environment the page is written anew.
    @Test func isUpToDate() throws {
        let page = Self.page(ConformanceTests.results)
        if ProcessInfo.processInfo.environment["NEURODEX_RECORD"] != nil {
            try Data(page.utf8).write(to: Self.path)
        }
        let stands = try String(contentsOf: Self.path, encoding: .utf8)
        #expect(
            stands == page, "run NEURODEX_RECORD=1 swift test -c release --filter OperatorTableTests, and look at what changes")
    }

    private static func page(_ results: [ConformanceTests.Result]) -> String {
        let floats = results.filter { $0.outcome != .elsewhere }
        let passed = floats.count { $0.outcome == .passed }
        var lines = [
            """
            # Operators

            <!-- Written by NEURODEX_RECORD=1 swift test -c release --filter OperatorTableTests; do not edit. -->

            The ONNX operators that neurodex reads, and the ONNX project's own tests of them, at three states of its operator sets (current; 13, of
            version 1.8.1; 9, of version 1.4.1). Counted are the tests with one operator and float tensors in and out, but for training, and for two of
            Resize (downwards with corners aligned, linear and cubic) where PyTorch and ONNX Runtime differ from the project; all weights are
            made constants, as a network's are. \(passed) of \(floats.count) pass, no result is wrong, and the others are refused by name, for the
            reason given. Whether a network is read is told before any image is looked at:

            ```sh
            neurodex layers fixtures/petshop.onnx --all
            ```

            Gradients are checked by tests of neurodex's own for every operator that may stand between the image and an answer.

            | Operator | Tests passed | Refused, and what the error says |
            |---|--:|---|
            """
        ]
        for name in operatorNames {
            let own = floats.filter { $0.operators == [name] }
            let count = own.count { $0.outcome == .passed }
            lines.append("| \(name) | \(own.isEmpty ? "no such test" : "\(count) of \(own.count)") | \(reasons(own)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// `2: moves the batch axis; 1: …`
    private static func reasons(_ results: [ConformanceTests.Result]) -> String {
        var counts: [String: Int] = [:]
        for case .refused(let reason) in results.map(\.outcome) {
            counts[ConformanceTests.refusals.first { reason.contains($0) } ?? reason, default: 0] += 1
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value): \($0.key)" }.joined(separator: "; ")
    }
}
