import ActivationStore
import ArgumentParser
import Foundation
import Images
import Search
import Support

/// The contact sheet of `diff`: what a neuron saw where it was strongest, and under it what its partner saw. Images that went
/// are framed in orange, and those that came in blue; their captions say it too.
struct DiffSheet {
    let a: Store
    let b: Store
    /// Where images that have moved are now.
    let images: String?
    let diff: Diff
    /// The longer side of each picture, in pixels; nil for that of every sheet.
    let size: Int?
    let shade: ShadeOption.Shade

    func drawn() throws -> Sheet {
        let drawings = (a: try drawing(of: a) { $0.strongestInA }, b: try drawing(of: b) { $0.strongestInB })
        var rows: [ContactSheet.Row] = []
        var missing: [String] = []
        var images: [StoredImage] = []
        for neuron in diff.neurons {
            let sides = [
                ("A", drawings.a, neuron.strongestInA, neuron.went, Page.Palette.went),
                ("B", drawings.b, neuron.strongestInB, neuron.came, Page.Palette.came),
            ]
            for (name, drawing, hits, moved, color) in sides {
                let moved = Set(moved.map(\.imageID))
                let mark = ContactSheet.Mark(color: color, text: name == "A" ? "went" : "came")
                for plan in try SheetPlan.rows(of: hits, in: drawing.store) {
                    var row = try drawing.row(plan, whole: false, &missing) { moved.contains($0) ? mark : nil }
                    row.belongsAbove = name == "B"
                    row.title = "\(name)  \(row.title ?? "")"
                    row.subtitle = name == "A" ? row.subtitle : summary(neuron)
                    rows.append(row)
                }
                images += try hits.compactMap { try drawing.store.image(id: $0.imageID) }
            }
        }
        return Sheet(
            page: try SheetDrawing.page(rows, advice: "give a smaller -k or --strongest", size: size), images: images,
            missing: missing,
            thumbnails: drawings.a.thumbnails + drawings.b.thumbnails, refusal: drawings.a.refusal ?? drawings.b.refusal,
            titles: rows.compactMap(\.title))
    }

    private func drawing(of store: Store, _ strongest: (NeuronDiff) -> [TopQuery.Hit]) throws -> SheetDrawing {
        var drawing = try SheetDrawing(store: store, images: images)
        if shade == .dark { drawing.light = .network(model: nil) }
        try drawing.takeLight(for: diff.neurons.flatMap { try SheetPlan.rows(of: strongest($0), in: store) })
        return drawing
    }

    private func summary(_ neuron: NeuronDiff) -> String {
        (neuron.correlation.map { "ρ \(shortNumber($0)), " } ?? "") + "\(neuron.shared) shared"
    }
}
