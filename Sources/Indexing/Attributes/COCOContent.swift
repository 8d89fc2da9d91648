package import Foundation
package import Support

/// [COCO](https://cocodataset.org/#format-data) JSON, of whose pictures and annotations a reader takes what it needs.
package struct COCOContent<Picture: Decodable, Annotation: Decodable>: Decodable {
    package struct Category: Decodable {
        package var id: Int
        package var name: String
    }

    package var images: [Picture]
    package var categories: [Category]
    package var annotations: [Annotation]

    /// - Throws: `UnreadableText` for what is no such JSON.
    package init(_ data: Data) throws(UnreadableText) {
        do {
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch {
            throw UnreadableText(reason: "it is no COCO JSON: \(Self.words(error))")
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "\((context.codingPath.first?.stringValue).map { "its \($0) have" } ?? "it has") no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of another kind"
        default: "it cannot be parsed"
        }
    }
}
