import Search
import Testing

/// Ward's clustering and silhouettes, against SciPy 1.x's `linkage(…, 'ward')` and scikit-learn's `silhouette_score` on the same points.
@Suite struct WardClusteringTests {
    private static let points: [[Double]] = (0..<40).map { (i: Int) -> [Double] in
        let offsets: [Int] = [3 * (i % 3), 2 * (i % 2), 0, 0]
        return offsets.enumerated().map { (j: Int, offset: Int) -> Double in
            let noise: Int = (i * 37 + j * 11 + i * i * 5) % 97
            return Double(noise) / 97 + Double(offset)
        }
    }

    private static let references: [(groups: Int, sizes: [Int], silhouette: Double)] = [
        (2, [26, 14], 0.51026957308348), (3, [14, 13, 13], 0.5354843928674133), (4, [14, 13, 7, 6], 0.569961286736594),
        (5, [13, 7, 7, 7, 6], 0.6317045559374183), (6, [7, 7, 7, 7, 6, 6], 0.6967202302594125),
        (7, [7, 7, 7, 6, 6, 4, 3], 0.6733516652830552), (8, [7, 7, 6, 6, 4, 4, 3, 3], 0.664647072318141),
    ]

    @Test func groupsAndSilhouettesAreTheReferences() throws {
        let clustering = WardClustering(Self.points)
        for reference in Self.references {
            let groups = clustering.groups(reference.groups)
            let sizes = (0..<reference.groups).map { number in groups.count { $0 == number } }
            #expect(sizes == reference.sizes)
            #expect(abs((clustering.silhouette(groups) ?? 0) - reference.silhouette) < 1e-6)
        }
        let best = try #require(clustering.bestGroups(most: 8))
        #expect((best.groups.max() ?? 0) + 1 == 6 && best.groups == clustering.groups(6))
    }

    @Test func fewVectorsAndEqualOnes() {
        #expect(WardClustering([[1, 2]]).groups(1) == [0])
        #expect(WardClustering([[1, 2], [3, 4]]).bestGroups(most: 8) == nil)
        let same = WardClustering([[1, 1], [1, 1], [1, 1]])
        #expect(same.groups(1) == [0, 0, 0] && same.silhouette(same.groups(2)) == 0)
    }
}
