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
        let (width, classes) = (featureCount, classCount)
        var loss = 0.0
        var scores = [Double](repeating: 0, count: classes)
        gradient.withUnsafeMutableBufferPointer { gradient in
            parameters.withUnsafeBufferPointer { parameters in
                gradient.update(repeating: 0)
                for (example, label) in labels.enumerated() {
                    Self.scores(features, example, parameters, width, classes, &scores)
                    loss += Self.softmax(&scores, label: label)
                    scores[label] -= 1
                    for row in 0...width {
                        let value = row < width ? features[example * width + row] : 1
                        for index in 0..<classes { gradient[row * classes + index] += value * scores[index] }
                    }
                }
                let scale = 1 / Double(labels.count)
                loss *= scale
                for index in gradient.indices { gradient[index] *= scale }
                for index in 0..<width * classes {
                    loss += l2 / 2 * parameters[index] * parameters[index]
                    gradient[index] += l2 * parameters[index]
                }
            }
        }
        return loss
    }

    private static func scores(
        _ features: [Double], _ example: Int, _ parameters: UnsafeBufferPointer<Double>, _ width: Int, _ classes: Int,
        _ scores: inout [Double]
    ) {
        for index in 0..<classes { scores[index] = parameters[width * classes + index] }
        for row in 0..<width {
            let value = features[example * width + row]
            for index in 0..<classes { scores[index] += value * parameters[row * classes + index] }
        }
    }

    /// Makes probabilities of scores; returns −log of the label's.
    private static func softmax(_ scores: inout [Double], label: Int) -> Double {
        let largest = scores.max() ?? 0
        let own = scores[label]
        var total = 0.0
        for index in scores.indices {
            scores[index] = exp(scores[index] - largest)
            total += scores[index]
        }
        for index in scores.indices { scores[index] /= total }
        return log(total) + largest - own
    }

    /// How many of other examples the solution tells rightly, and its mean −log probability on them.
    package static func evaluate(
        _ parameters: [Double], features: [Double], labels: [Int], featureCount: Int, classCount: Int
    ) -> (right: Int, loss: Double) {
        var scores = [Double](repeating: 0, count: classCount)
        var (right, loss) = (0, 0.0)
        parameters.withUnsafeBufferPointer { parameters in
            for (example, label) in labels.enumerated() {
                Self.scores(features, example, parameters, featureCount, classCount, &scores)
                if scores.firstIndex(of: scores.max() ?? 0) == label { right += 1 }
                loss += softmax(&scores, label: label)
            }
        }
        return (right, loss / Double(max(labels.count, 1)))
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
            let step = zip(next.point, point).map { $0 - $1 }
            let change = zip(next.gradient, gradient).map { $0 - $1 }
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

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private static func largest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }
}
