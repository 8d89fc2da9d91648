import CKernels

/// How alike several pictures are to a layer: the mean cosine between the Gram matrices of its activations.
///
/// G = Xᵀ X over the map's positions, X positions × channels: which features go together, wherever they are (Gatys et al. 2015). D = mean over
/// the pairs i ≠ j of ⟨G_i, G_j⟩ / (‖G_i‖ ‖G_j‖), in 0…1 for what follows a ReLU; ascent takes λ D off. Olah, Mordvintsev and Schubert, "Feature
/// Visualization", 2017, https://distill.pub/2017/feature-visualization. Where we differ: the mean over pairs, not their sum, so
/// that λ means the same for any number of pictures.
package struct Diversity {
    private let channels: Int
    private let weight: Float

    package init(channels: Int, weight: Float) {
        self.channels = channels
        self.weight = weight
    }

    /// λ D and its gradient by every map. `maps`: positions × channels each.
    package func penalty(_ maps: [[Float]]) -> (value: Double, gradients: [[Float]]) {
        let grams = maps.map(gram)
        let norms = grams.map { gram in max(gram.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(), 1e-12) }
        let units = zip(grams, norms).map { gram, norm in gram.map { $0 / Float(norm) } }
        let pairs = Double(maps.count * (maps.count - 1))
        var value = 0.0
        let gradients = maps.indices.map { i in
            var slope = [Float](repeating: 0, count: channels * channels)
            for j in maps.indices where j != i {
                let cosine = zip(units[i], units[j]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                value += cosine
                // Each pair is counted from both its ends.
                for k in slope.indices { slope[k] += 2 * (units[j][k] - Float(cosine) * units[i][k]) }
            }
            let factor = Float(2 * Double(weight) / (pairs * norms[i]))
            for k in slope.indices { slope[k] *= factor }
            let positions = maps[i].count / channels
            var gradient = [Float](repeating: 0, count: maps[i].count)
            ndx_matrix_product(maps[i], positions, channels, slope, channels, &gradient)
            return gradient
        }
        return (Double(weight) * value / pairs, gradients)
    }

    private func gram(_ map: [Float]) -> [Float] {
        let positions = map.count / channels
        var turned = [Float](repeating: 0, count: map.count)
        for position in 0..<positions {
            for c in 0..<channels { turned[c * positions + position] = map[position * channels + c] }
        }
        var gram = [Float](repeating: 0, count: channels * channels)
        ndx_matrix_product(turned, channels, positions, map, channels, &gram)
        return gram
    }
}
