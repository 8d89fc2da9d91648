import ActivationStore
import Foundation
import Pages
import Search

/// What a neuron saw of its strongest images as one picture, of which a page shows a square at a time: a page of 48 neurons asks for 48
/// pictures, and not for 432. `/strip?layer=conv4&cells=12.3.4,17.0.2` names images by id, and the cells of the layer's map.
struct Strip {
    static let path = "strip"
    /// Squares of a strip, and the side of each in pixels.
    static let squares = 9
    private static let side = 160

    var cells: [(image: StoredImage, place: PictureShelf.Place)]

    /// - Throws: ``Refusal`` for what is no strip of the store.
    init(_ address: Address, in explorer: Explorer) throws {
        let cells = (address["cells"] ?? "").split(separator: ",").map { cell in
            cell.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        }
        guard let layer = address["layer"], (1...Self.squares).contains(cells.count), cells.allSatisfy({ $0.count == 3 }) else {
            throw Refusal(sentence: "a strip has a layer, and 1 to \(Self.squares) cells ID.Y.X, with commas between them")
        }
        let images = try explorer.store.images(ids: cells.compactMap { Int($0[0]) })
        self.cells = try cells.map { cell in
            guard let id = Int(cell[0]), let image = images[id] else {
                throw Refusal(sentence: "the store has no image with the id '\(cell[0])'", status: .notFound)
            }
            return (image, try explorer.cell(of: layer, y: cell[1], x: cell[2]))
        }
    }

    static func address(of hits: [TopQuery.Hit]) -> Address {
        let cells = hits.prefix(squares).map { "\($0.imageID).\($0.y).\($0.x)" }
        return Address(
            path: [path],
            query: [.init("layer", hits.first?.layer ?? ""), .init("cells", cells.joined(separator: ","))])
    }

    func picture(of explorer: Explorer) throws -> Response {
        let key = "strip " + explorer.pictures.key(cells.map { ($0.image, $0.place) }, side: Self.side)
        let data = try explorer.pictures.strip(cells, side: Self.side, squares: Self.squares, key: key)
        return Explorer.response(data, key, isPhotograph: cells.allSatisfy { explorer.pictures.isPhotograph($0.image) })
    }
}

extension Explorer {
    func strip(_ address: Address) throws -> Response { try Strip(address, in: self).picture(of: self) }
}
