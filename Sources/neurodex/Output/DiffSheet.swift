import ActivationStore
import ArgumentParser
import Foundation
import Images
import Search

/// The contact sheet of `diff`: what a neuron saw where it was strongest, and under it what its partner saw. Images that went are framed in red, and
/// those that came in green.
struct DiffSheet {
    let a: Store
    let b: Store
    /// Where images that have moved are now.
    let images: String?
    let diff: Diff

    func drawn() throws -> Sheet {
        let sheets = (
            a: try TopSheet(store: a, images: self.images, whole: false),
            b: try TopSheet(store: b, images: self.images, whole: false)
        )
        var rows: [ContactSheet.Row] = []
        var missing: [String] = []
        var images: [StoredImage] = []
        for neuron in diff.neurons {
            let (went, came) = (Set(neuron.went), Set(neuron.came))
            let sides = [
                ("A", a, sheets.a, neuron.strongestInA, went, Color(hex: 0xC8102E)),
                ("B", b, sheets.b, neuron.strongestInB, came, Color(hex: 0x1A7F37)),
            ]
            for (name, store, sheet, hits, moved, color) in sides where !hits.isEmpty {
                var row = try sheet.row(of: hits[...], &missing) { moved.contains($0) ? color : nil }
                row.title = "\(name)  \(row.title ?? "")"
                row.subtitle = name == "A" ? row.subtitle : summary(neuron)
                rows.append(row)
                images += try hits.compactMap { try store.image(id: $0.imageID) }
            }
        }
        return Sheet(
            image: try TopSheet.rendered(rows, advice: "give a smaller -k or --strongest"), images: images, missing: missing,
            titles: rows.compactMap(\.title))
    }

    private func summary(_ neuron: NeuronDiff) -> String {
        (neuron.correlation.map { "ρ \(shortNumber($0)), " } ?? "") + "\(neuron.shared) shared"
    }
}
