import CKernels
import Foundation

/// Multinomial logistic regression: the linear layer W, b that makes the mean over all examples of −log softmax(Wx + b)[class]
/// plus (l2 / 2)‖W‖² least. In double precision; the bias is not penalised.
///
/// Limited-memory BFGS: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4 and 7.5, with steps halved or
/// doubled until they meet the weak Wolfe conditions (Lewis and Overton, "Nonsmooth optimization via quasi-Newton methods",
/// 2013).
package struct LogisticRegression {
    /// Examples × features.
    let features: [Double]
    /// Of each example.
    let labels: [Int]
    let featureCount: Int
    let classCount: Int
    let l2: Double

    /// Where the descent ended: (features + 1) × classes, the bias in the last row.
    package struct Solution {
        package var parameters: [Double]
        package var loss: Double
        /// The largest element of the gradient.
        package var slope: Double
        package var steps: Int
    }

    package init(features: [Double], labels: [Int], featureCount: Int, classCount: Int, l2: Double) {
        precondition(features.count == labels.count * featureCount, "\(features.count) values for \(labels.count) examples")
        precondition(labels.allSatisfy { (0..<classCount).contains($0) }, "a label beyond \(classCount) classes")
        (self.features, self.labels, self.l2) = (features, labels, l2)
        (self.featureCount, self.classCount) = (featureCount, classCount)
    }

    /// The loss and, in `gradient`, its derivative by every parameter.
    package func loss(_ parameters: [Double], gradient: inout [Double]) -> Double {
        let parameterCount = featureCount * classCount
        var room = [Double](repeating: 0, count: Int(NDX_EXAMPLES_TOGETHER) * classCount)
        let scale = 1 / Double(labels.count)
        gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        var loss =
            scale
            * ndx_logistic_loss(features, labels, labels.count, featureCount, classCount, parameters, &room, &gradient)
        gradient.withUnsafeMutableBufferPointer { gradient in
            parameters.withUnsafeBufferPointer { parameters in
                for index in gradient.indices { gradient[index] *= scale }
                for index in 0..<parameterCount {
                    loss += l2 / 2 * parameters[index] * parameters[index]
                    gradient[index] += l2 * parameters[index]
                }
            }
        }
        return loss
    }

    /// How many of other examples the solution tells rightly, and its mean −log probability on them.
    package static func evaluate(
        _ parameters: [Double], features: [Double], labels: [Int], featureCount: Int, classCount: Int
    ) -> (right: Int, loss: Double) {
        let scores = scores(parameters, features: features, featureCount: featureCount, classCount: classCount)
        var (right, loss) = (0, 0.0)
        for (example, label) in labels.enumerated() {
            let own = scores[example * classCount..<(example + 1) * classCount]
            if own.firstIndex(of: own.max() ?? 0) == own.startIndex + label { right += 1 }
            loss += own.reduce(-Double.infinity, logSum) - own[own.startIndex + label]
        }
        return (right, loss / Double(max(labels.count, 1)))
    }

    /// Wx + b of examples: examples × classes.
    static func scores(_ parameters: [Double], features: [Double], featureCount: Int, classCount: Int) -> [Double] {
        let examples = featureCount > 0 ? features.count / featureCount : 0
        return [Double](unsafeUninitializedCapacity: examples * classCount) { scores, count in
            count = examples * classCount
            if let base = scores.baseAddress {
                ndx_linear_scores(features, examples, featureCount, classCount, parameters, base)
            }
        }
    }

    /// Descends from `start`, or from nothing, until no element of the gradient is larger than `tolerance`.
    package func solved(from start: [Double]? = nil, tolerance: Double = 1e-7, limit: Int = 2000) -> Solution {
        var point = start ?? [Double](repeating: 0, count: (featureCount + 1) * classCount)
        var gradient = point
        var loss = loss(point, gradient: &gradient)
        var memory: [(step: [Double], change: [Double], curvature: Double)] = []
        var steps = 0
        while steps < limit, Self.largest(gradient) > tolerance {
            let direction = Self.direction(gradient, memory)
            guard let next = search(from: point, loss, gradient, along: direction) else {
                // The limit of double precision, unless older steps have misled.
                guard !memory.isEmpty else { break }
                memory = []
                continue
            }
            let (step, change) = (Self.difference(next.point, point), Self.difference(next.gradient, gradient))
            let curvature = Self.dot(step, change)
            if curvature > 0 { memory.append((step, change, curvature)) }
            if memory.count > 10 { memory.removeFirst() }
            (point, gradient, loss) = (next.point, next.gradient, next.loss)
            steps += 1
        }
        return Solution(parameters: point, loss: loss, slope: Self.largest(gradient), steps: steps)
    }

    /// The two-loop recursion: minus the gradient times what is known of the inverse curvature.
    private static func direction(
        _ gradient: [Double], _ memory: [(step: [Double], change: [Double], curvature: Double)]
    ) -> [Double] {
        var result = gradient.map { -$0 }
        var shares: [Double] = []
        for (step, change, curvature) in memory.reversed() {
            let share = dot(step, result) / curvature
            shares.append(share)
            for index in result.indices { result[index] -= share * change[index] }
        }
        if let last = memory.last {
            let scale = last.curvature / dot(last.change, last.change)
            for index in result.indices { result[index] *= scale }
        }
        for ((step, change, curvature), share) in zip(memory, shares.reversed()) {
            let other = dot(change, result) / curvature
            for index in result.indices { result[index] += (share - other) * step[index] }
        }
        return result
    }

    /// A point on the way along `direction` that lies low enough and where the way has become flatter; nil where there is none.
    private func search(
        from point: [Double], _ loss: Double, _ gradient: [Double], along direction: [Double]
    ) -> (point: [Double], gradient: [Double], loss: Double)? {
        let slope = Self.dot(gradient, direction)
        guard slope < 0 else { return nil }
        var (low, high, length) = (0.0, Double.infinity, 1.0)
        var found: (point: [Double], gradient: [Double], loss: Double)?
        for _ in 0..<40 {
            var candidate = point
            for index in candidate.indices { candidate[index] += length * direction[index] }
            var slopes = candidate
            let value = self.loss(candidate, gradient: &slopes)
            if !(value <= loss + 1e-4 * length * slope) {
                high = length
            } else {
                found = (candidate, slopes, value)
                guard Self.dot(slopes, direction) < 0.9 * slope else { return found }
                low = length
            }
            length = high.isFinite ? (low + high) / 2 : 2 * low
        }
        return found
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sum = 0.0
                for index in 0..<min(a.count, b.count) { sum += a[index] * b[index] }
                return sum
            }
        }
    }

    private static func difference(_ a: [Double], _ b: [Double]) -> [Double] { a.indices.map { a[$0] - b[$0] } }

    private static func largest(_ values: [Double]) -> Double {
        values.withUnsafeBufferPointer { $0.reduce(0) { max($0, abs($1)) } }
    }
}
