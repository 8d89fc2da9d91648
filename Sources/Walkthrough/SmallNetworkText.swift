/// Explanations of the small network, step by step, for people.
extension SmallNetwork {
    private var head: String {
        let maps = maps(picture)
        let names = maps.indices.map { "A\($0 + 1)" }
        var text = "The picture x\n\(rounded(picture).text())"
        for (index, filter) in filters.enumerated() {
            text +=
                "\nFilter \(index + 1), and its map \(names[index]) = max(0, x ∗ f\(index + 1))\n\(filter.text())\n\(rounded(maps[index]).text())"
        }
        let sum = zip(weights, names).map { "\(Matrix.text($0.0)) · mean(\($0.1))" }.joined(separator: " + ")
        let means = maps.map { Matrix.text(Self.rounded($0.values.reduce(0, +) / Double($0.values.count))) }
        let numbers = zip(weights, means).map { "\(Matrix.text($0.0)) · \($0.1)" }.joined(separator: " + ")
        return text + "\nThe score s = \(sum) = \(numbers) = \(Matrix.text(Self.rounded(score(picture))))\n\n"
    }

    public var saliencyText: String {
        let gradient = gradient(picture)
        return head + """
            Saliency: ∂s/∂x

            A place of a map that is above zero sends its weight, divided by the \(maps(picture)[0].values.count) places of the mean, back through its \
            filter; where the rectifier is shut nothing goes back. What comes back adds up:
            \(rounded(gradient).text())
            The picture shows its magnitude |∂s/∂x|:
            \(rounded(Matrix(rows: gradient.rows, columns: gradient.columns, values: gradient.values.map { abs($0) })).text())
            A small step along it: x + 0.01 · ∂s/∂x scores \
            \(Matrix.text(Self.rounded(score(ascent(steps: 1, rate: 0.01, decay: 0)[1])))), and s + 0.01 · ‖∂s/∂x‖² = \
            \(Matrix.text(Self.rounded(score(picture) + 0.01 * gradient.values.reduce(0) { $0 + $1 * $1 }))).

            """
    }

    public var occlusionText: String {
        head + """
            Occlusion: what s loses while a window of 2×2 covers a part of x with zeros

            s(x) − s(x with the window there), by the window's upper left corner:
            \(rounded(losses(side: 2)).text())
            The map: at every pixel the mean over the windows that cover it.
            \(rounded(occlusion(side: 2)).text())

            """
    }

    public var classMapText: String {
        let map = classMap
        let mean = map.values.reduce(0, +) / Double(map.values.count)
        return head + """
            Class activation map: M = \(weights.enumerated().map { "\(Matrix.text($1)) · A\($0 + 1)" }.joined(separator: " + "))

            The mean of a sum is the sum of the means, so the score can be shared out over the places without going back through anything:
            \(rounded(map).text())
            mean(M) = \(Matrix.text(Self.rounded(mean))), which is s = \(Matrix.text(Self.rounded(score(picture)))).

            """
    }

    public func ascentText(steps: Int, rate: Double, decay: Double) -> String {
        let pictures = ascent(steps: steps, rate: rate, decay: decay)
        var text =
            head + """
                Gradient ascent: x ← x + \(Matrix.text(rate)) · (∂s/∂x − 2 · \(Matrix.text(decay)) · x) makes L = s − \(Matrix.text(decay)) · ‖x‖² larger


                """
        for (step, picture) in pictures.enumerated() {
            let (score, objective) = (score(picture), objective(picture, decay: decay))
            text += "After step \(step): s = \(Matrix.text(Self.rounded(score))), L = \(Matrix.text(Self.rounded(objective)))\n"
            if step == pictures.count - 1 { text += rounded(picture).text() }
        }
        return text
    }

    /// To a ten-thousandth.
    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }

    private func rounded(_ matrix: Matrix) -> Matrix {
        Matrix(rows: matrix.rows, columns: matrix.columns, values: matrix.values.map(Self.rounded))
    }
}

extension SmallNetwork: Encodable {
    private enum Key: String, CodingKey {
        case picture, filters, weights, maps, score, gradient, occlusion
        case classMap = "class_map"
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(picture.nested, forKey: .picture)
        try values.encode(filters.map(\.nested), forKey: .filters)
        try values.encode(weights, forKey: .weights)
        try values.encode(maps(picture).map(\.nested), forKey: .maps)
        try values.encode(score(picture), forKey: .score)
        try values.encode(gradient(picture).nested, forKey: .gradient)
        try values.encode(occlusion(side: 2).nested, forKey: .occlusion)
        try values.encode(classMap.nested, forKey: .classMap)
    }
}
