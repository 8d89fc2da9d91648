extension DeconvolutionWalkthrough {
    /// The whole walk, for people.
    /// - Throws: `NetworkError.kernel`.
    public func text() throws -> String {
        let w = matrix
        let (count, width) = (w.rows, w.columns)
        let text = """
            A convolution is a matrix

            The signal, \(signal.count) \(signal.count == 1 ? "number" : "numbers"), with \(padding) \(padding == 1 ? "zero" : "zeros") on each side: x, \(width) numbers.
            \(padded.row.text())
            The filter moves over x in steps of \(stride). Row i of W is the filter at its i-th place: W has \(count)×\(width) numbers.
            \(w.text())
            Their number is n_y = ⌊(n_x + 2p − n_f) / s⌋ + 1 = ⌊(\(signal.count) + 2·\(padding) − \(filter.count)) / \(stride)⌋ + 1 = \(count).

            The convolution is y = W x, \(count) \(count == 1 ? "number" : "numbers").
            \(output.row.text())

            """
        return try text + orthogonality + transposition + wayBack
    }

    /// Wᵀ, and the same as a convolution of spread numbers.
    private var transposition: String {
        let (count, width) = (matrix.rows, matrix.columns)
        return """

            The transposed convolution ("deconvolution")

            x̂ = Wᵀ y: every number of y puts a copy of the filter, times itself, where it came from; copies that overlap add up.
            Wᵀ has \(width)×\(count) numbers:
            \(markedTranspose)
            \(transposed.row.text())
            The same as a sub-pixel convolution

            1. Put \(stride - 1) \(stride == 2 ? "zero" : "zeros") between the numbers of y\(stride == 1 ? ": nothing to do with stride 1" : "").
            \(spread.row.text())
            2. Put filter − 1 = \(filter.count - 1) \(filter.count == 2 ? "zero" : "zeros") on each side\(leftOver).
            \(framed.row.text())
            3. Turn the filter round.
            \(Array(filter.reversed()).row.text())
            4. Move it over that in steps of 1: as a matrix F, every row of which is the whole turned filter,
            \(flippedMatrix.text())
            F times the numbers of step 2 is
            \(subpixel.row.text())
            \(verdict(subpixel, transposed, "x̂"))

            """
    }

    /// What goes back to the signal, and what the kernel says.
    private var wayBack: String {
        get throws {
            let computed = try engine().map { Double($0) }
            return """

                Without the padding, x̂ is what goes back to the signal: x above, x̂ below.
                \(Matrix(rows: 2, columns: signal.count, values: signal + cropped).text())
                neurodex's own kernel, the one that takes explanations back through a network, computes
                \(computed.row.text())
                """ + verdict(computed, cropped, "x̂ without the padding") + "\n"
        }
    }

    /// Wᵀ, and beside each row that holds fewer of the filter's numbers than the fullest how many it holds.
    private var markedTranspose: String {
        let back = matrix.transposed
        /// Taps of the filter that a row of Wᵀ holds, zeros among them.
        func taps(_ column: Int) -> Int { (0..<back.columns).count { filter.indices.contains(column - $0 * stride) } }
        let counts = (0..<back.rows).map(taps)
        let most = counts.max() ?? 0
        let lines = back.text().split(separator: "\n").enumerated().map { row, line in
            String(line) + (counts[row] < most ? "  ← partial: \(counts[row]) of \(most)" : "")
        }
        let differ = Set(
            (0..<back.rows).filter { counts[$0] == most }.map { row in
                (0..<back.columns).map { row - $0 * stride }.filter(filter.indices.contains).map { filter[$0] }
            }
        ).count
        let reason =
            differ > 1 || counts.contains { $0 < most }
            ? "Its rows are not one filter at many places: \(stride > 1 ? "each holds every \(stride == 2 ? "second" : "\(stride)th") number of it" : "those at the ends hold parts of it"), so this is no convolution yet. Hence the trick:"
            : "Its rows are one filter at many places."
        return lines.joined(separator: "\n") + "\n" + reason
    }

    /// F: the filter turned round, at every place of the numbers with zeros between and around.
    private var flippedMatrix: Matrix {
        let (columns, flipped) = (framed.count, Array(filter.reversed()))
        return Matrix(rows: columns - flipped.count + 1, columns: columns) { row, column in
            flipped.indices.contains(column - row) ? flipped[column - row] : 0
        }
    }

    private var leftOver: String {
        let rest = (signal.count + 2 * padding - filter.count) % stride
        return rest == 0
            ? "" : ", and \(rest) more behind, for the \(rest == 1 ? "number" : "numbers") of x that the last step does not reach"
    }

    private var orthogonality: String {
        let product = matrix * matrix.transposed
        let head = "Is W orthogonal? W Wᵀ says how far its rows are from being at right angles.\n\(product.text())\n"
        guard let factor = product.multipleOfIdentity, factor > 0 else {
            return head
                + (product.multipleOfIdentity == 0
                    ? "It is zero: a filter of zeros lets nothing through.\n"
                    : "It is no multiple of I: the rows are not at right angles, so W x̂ is not a multiple of y, and x̂ mixes neighbours.\n")
        }
        let scale = factor == 1 ? "" : "\(Matrix.text(factor)) "
        return head + """
            It is \(scale)I: the rows are at right angles\(factor == 1 ? " and of length 1" : ", but of length √\(Matrix.text(factor))"). So W x̂ = \(scale)y: \
            x̂\(factor == 1 ? "" : " / \(Matrix.text(factor))") is the part of x that W sees, and the rest is lost.

            """
    }

    private func verdict(_ found: [Double], _ expected: [Double], _ name: String) -> String {
        let scale = expected.reduce(1e-30) { max($0, $1.magnitude) }
        let error = zip(found, expected).reduce(0.0) { max($0, ($1.0 - $1.1).magnitude) }
        return found.count == expected.count && error <= 1e-5 * scale
            ? "It is \(name)." : "It is not \(name): please report this."
    }
}
