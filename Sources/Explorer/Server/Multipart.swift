package import Foundation

/// Reads the files of a form: multipart/form-data, RFC 7578.
package enum Multipart {
    package struct File: Equatable, Sendable {
        /// The last part of the path that the browser gave.
        package var name: String
        package var bytes: Data

        package init(name: String, bytes: Data) { (self.name, self.bytes) = (name, bytes) }
    }

    private static let mostHead = 8192

    /// - Parameters:
    ///   - type: the request's content type, with the boundary.
    ///   - most: files; of more than that nil.
    /// - Returns: the files that have a name; nil for what is no such form.
    package static func files(in body: Data, type: String, most: Int) -> [File]? {
        guard let boundary = boundary(of: type) else { return nil }
        let mark = Data("--\(boundary)".utf8)
        guard var place = body.range(of: mark)?.upperBound else { return nil }
        var files: [File] = []
        while true {
            let rest = body[place...]
            if rest.starts(with: Data("--".utf8)) { return files }
            guard rest.starts(with: Data("\r\n".utf8)),
                let headEnd = body.range(of: Data("\r\n\r\n".utf8), in: place..<min(place + mostHead, body.endIndex)),
                let next = body.range(of: Data("\r\n".utf8) + mark, in: headEnd.upperBound..<body.endIndex)
            else { return nil }
            if let name = fileName(String(decoding: body[place..<headEnd.lowerBound], as: UTF8.self)), !name.isEmpty {
                guard files.count < most else { return nil }
                files.append(File(name: name, bytes: Data(body[headEnd.upperBound..<next.lowerBound])))
            }
            place = next.upperBound
        }
    }

    private static func boundary(of type: String) -> String? {
        guard type.lowercased().hasPrefix("multipart/form-data"),
            let start = type.range(of: "boundary=", options: .caseInsensitive)
        else { return nil }
        let value = type[start.upperBound...].prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces)
        let plain = value.hasPrefix("\"") ? String(value.dropFirst().prefix { $0 != "\"" }) : value
        return (1...200).contains(plain.utf8.count) ? plain : nil
    }

    /// Of the part's content disposition; browsers write a quotation mark as %22.
    private static func fileName(_ head: String) -> String? {
        let lines = head.split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            let start = line.range(of: "filename=\"")
        else { return nil }
        let name = line[start.upperBound...].prefix { $0 != "\"" }
        let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        return String(last.replacing("%22", with: "\"").prefix(200))
    }
}
