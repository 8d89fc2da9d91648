import NeuralNetwork

extension Explainer {
    /// Questions about one target for which it pays to compile a network of its own.
    private static let focusedQuestions = 8

    /// Who answers `count` questions about a target fastest, and what the target is called there: where each class has a map of its own,
    /// a network that makes only a few of these. Its numbers are the same but for the last digits, as other kernels may add in another order; so
    /// whatever is compared with each other should be asked of one explainer.
    func focused(on target: Target, for count: Int) throws -> (explainer: Explainer, target: Target) {
        guard count >= Self.focusedQuestions, target.rest.isEmpty,
            let (network, first) = try network.focused(on: layer(of: target), channel: target.channel)
        else { return (self, target) }
        var target = target
        target.channel -= first
        return (Explainer(self, network: network), target)
    }
}
