public import ArgumentParser

/// How a gradient becomes a step uphill.
public enum OptimizerKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Kingma and Ba, "Adam", 2014, https://arxiv.org/abs/1412.6980; β 0.9 and 0.999.
    case adam
    /// Momentum 0.9 on the gradient divided by its root mean square, so that a rate means the same for every target and network.
    case sgd
}

/// One picture's optimiser: its parameters' running means.
struct Optimizer {
    private let kind: OptimizerKind
    private let rate: Float
    private var first: [Float]
    private var second: [Float]
    private var step = 0

    init(_ kind: OptimizerKind, rate: Float, count: Int) {
        self.kind = kind
        self.rate = rate
        first = [Float](repeating: 0, count: count)
        second = kind == .adam ? first : []
    }

    mutating func ascend(_ parameters: inout [Float], along gradient: [Float]) {
        step += 1
        switch kind {
        case .adam:
            var (powerFirst, powerSecond): (Float, Float) = (1, 1)
            for _ in 0..<min(step, 100_000) { (powerFirst, powerSecond) = (powerFirst * 0.9, powerSecond * 0.999) }
            let scale = rate * (1 - powerSecond).squareRoot() / (1 - powerFirst)
            for index in parameters.indices {
                first[index] = 0.9 * first[index] + 0.1 * gradient[index]
                second[index] = 0.999 * second[index] + 0.001 * gradient[index] * gradient[index]
                parameters[index] += scale * first[index] / (second[index].squareRoot() + 1e-12)
            }
        case .sgd:
            let square = gradient.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(gradient.count, 1))
            let scale = square > 0 ? Float(1 / square.squareRoot()) : 0
            for index in parameters.indices {
                first[index] = 0.9 * first[index] + scale * gradient[index]
                parameters[index] += 0.1 * rate * first[index]
            }
        }
    }
}
