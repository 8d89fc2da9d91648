import ActivationStore
import Explanations
import Foundation
import Images
import Pages
import Support

extension Explorer {
    static func address(ofFrame image: PageImage) -> Address {
        Address(path: ["frame.png"], query: [Address.Field("image", image.text)])
    }

    static func address(ofColors colormap: Colormap) -> Address { Address("colors", "\(colormap.rawValue).png") }

    /// Maps and pictures of explanations: `/map.npy` as `--raw` writes it, `/plane.npy` of one number a pixel of what is shown,
    /// `/map.png` over the picture, `/frame.png` what the network sees, `/colors/NAME.png` a colour map, `/kept/ID.png`.
    /// - Returns: nil for other addresses.
    func explanationFile(_ address: Address, _ connection: Connection) throws -> Response? {
        switch address.path.first {
        case "map.npy" where address.path.count == 1:
            return Response(type: "application/octet-stream", body: try one(address, connection).made.explanation.map.npy)
        case "plane.npy" where address.path.count == 1:
            return Response(type: "application/octet-stream", body: try one(address, connection).plane.npy)
        case "map.png" where address.path.count == 1: return try Self.picture(one(address, connection).over())
        case "frame.png" where address.path.count == 1:
            let image = try ExplanationWishes(address.query, in: store, dropped: desk.uploads.has).orders[0].image
            return try Self.picture(desk.subject(image).framed.picture)
        case "colors" where address.path.count == 2:
            let name = address.path[1].hasSuffix(".png") ? String(address.path[1].dropLast(4)) : ""
            guard let colors = Colormap(rawValue: name)?.colors else { return nil }
            return try Self.picture(
                Image(width: 256, height: 1, pixels: colors.flatMap { [$0.red, $0.green, $0.blue] }), age: 86_400)
        case "kept" where address.path.count == 2:
            guard address.path[1].hasSuffix(".png"), let id = Int(address.path[1].dropLast(4)),
                let record = try store.explanation(id: id)
            else { throw Refusal(sentence: "the store keeps no whole explanation '\(address.path[1])'", status: .notFound) }
            return Self.picture(data: record.picture)
        default: return nil
        }
    }

    /// What a page shows by an address, of whatever kind; nil where it cannot be had.
    func anyPicture(_ address: Address, _ connection: Connection) -> Response? {
        (try? picture(address) ?? explanationFile(address, connection)) ?? nil
    }

    /// The one explanation of an address, on the scale that it names.
    private func one(_ address: Address, _ connection: Connection) throws -> DrawnExplanation {
        var fields = address.query
        let limit = fields.last { $0.name == "limit" }?.value
        fields.removeAll { $0.name == "limit" }
        let wishes = try ExplanationWishes(fields, in: store, dropped: desk.uploads.has)
        guard wishes.orders.count == 1 else { throw Refusal(sentence: "a map is of one image, one method and one target") }
        var drawn = DrawnExplanation.drawn(
            [(wishes.orders[0], try desk.made(wishes.orders[0], for: connection))], sharesScale: false)[0]
        if let limit {
            guard let value = Float(limit), value > 0, value.isFinite else {
                throw Refusal(sentence: "limit is the value of the last colour, above 0, not '\(limit)'")
            }
            drawn.limit.value = value
        }
        return drawn
    }

    static func picture(_ image: Image, age: Int = 0) throws -> Response { picture(data: Data(try image.pngData()), age: age) }

    static func picture(data: Data, age: Int = 0) -> Response {
        let tag = "\"\(Data(SHA256.hash(data: data)).hexadecimal.prefix(32))\""
        return Response(
            type: "image/png", body: data,
            headers: ["ETag": tag, "Cache-Control": age > 0 ? "private, max-age=\(age)" : "private, no-cache"])
    }
}
