/// What a rectifier (ReLU) lets through on the way back.
///
/// | rule | passes a signal where | from |
/// |---|---|---|
/// | gradient | the forward output was positive | the chain rule |
/// | deconvnet | the signal itself is positive | Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901 |
/// | guided | both | Springenberg et al., "Striving for Simplicity", 2014, https://arxiv.org/abs/1412.6806 |
///
/// All other operators go back by the chain rule; maximum pooling through its switches.
public enum BackwardRule: String, CaseIterable, Sendable {
    case gradient, deconvnet, guided

    var looksAtOutput: Bool { self != .deconvnet }
    var looksAtSignal: Bool { self != .gradient }
}
