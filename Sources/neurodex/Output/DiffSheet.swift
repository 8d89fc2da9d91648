import ActivationStore
import ArgumentParser
import Foundation
import Images
import Search

/// The contact sheet of `diff`: what a neuron saw where it was strongest, and under it what its partner saw. Images that went
/// are framed in orange, and those that came in blue; their captions say it too.
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
                ("A", a, sheets.a, neuron.strongestInA, went, Page.Palette.went),
                ("B", b, sheets.b, neuron.strongestInB, came, Page.Palette.came),
            ]
            for (name, store, sheet, hits, moved, color) in sides where !hits.isEmpty {
                let mark = ContactSheet.Mark(color: color, text: name == "A" ? "went" : "came")
                var row = try sheet.row(of: hits[...], &missing) { moved.contains($0) ? mark : nil }
                row.title = "\(name)  \(row.title ?? "")"
                row.subtitle = name == "A" ? row.subtitle : summary(neuron)
                rows.append(row)
                images += try hits.compactMap { try store.image(id: $0.imageID) }
            }
        }
        return Sheet(
            page: try TopSheet.page(rows, advice: "give a smaller -k or --strongest"), images: images, missing: missing,
            titles: rows.compactMap(\.title))
    }

    private func summary(_ neuron: NeuronDiff) -> String {
        (neuron.correlation.map { "ρ \(shortNumber($0)), " } ?? "") + "\(neuron.shared) shared"
    }
}
