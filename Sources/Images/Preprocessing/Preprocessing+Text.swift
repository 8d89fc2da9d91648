internal import Foundation
internal import Support

extension Preprocessing: Codable {
    public init(from decoder: any Decoder) throws { try self.init(Text(from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try Text(self).encode(to: encoder) }

    /// JSON with sorted keys and no spaces: equal preprocessings have equal texts.
    ///
    /// Sizes are height × width, and `pillow` says whose resize it is. Texts of stores that neurodex 0.1 made say nothing of Pillow
    /// and have the width first; they stay as they are, and so do the pixels that such a store's pictures are resized to.
    /// - Throws: `EncodingError` when a value is not finite.
    public func canonicalJSON() throws -> String { try Text(self).json() }

    /// As ``canonicalJSON()``, but with the height first in any case: for people.
    ///
    /// - Throws: `EncodingError` when a value is not finite.
    public func shownJSON() throws -> String { try Text(self, isHeightFirst: true).json() }

    /// The preprocessing that a JSON text describes.
    ///
    /// - Throws: `DecodingError` naming the field that is wrong.
    public init(json: String) throws {
        self = try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8))
    }

    /// SHA-256 of the canonical JSON, in hexadecimal.
    ///
    /// - Throws: `EncodingError` when a value is not finite.
    public func hash() throws -> String {
        SHA256.hash(data: Data(try canonicalJSON().utf8)).hexadecimal
    }

    private init(_ text: Text) throws {
        func fail(_ key: Text.CodingKeys, _ problem: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: [key], debugDescription: problem))
        }
        let isHeightFirst = text.pillow != nil
        guard text.pillow == nil || text.pillow == Text.pillow else {
            throw fail(.pillow, "pictures are resized as by Pillow \(Text.pillow), not \(text.pillow ?? 0)")
        }
        guard let resize = Framing.Resize(text.resize) else {
            let forms = "a number such as 256, a size such as 192x224, letterbox, letterbox-corner, text-line or none"
            throw fail(.resize, "a resize is \(forms), not “\(text.resize)”")
        }
        guard let crop = Framing.Resize(text.crop), case .exact(let width, let height) = crop.ordered(isHeightFirst) else {
            throw fail(.crop, "a crop is a size such as 192x224, not “\(text.crop)”")
        }
        let count = text.channels.count ?? max(text.mean.count, 1)
        guard text.mean.count == count, text.deviation.count == count else {
            throw fail(.mean, "\(count) channels need as many means and deviations")
        }
        guard text.divisor != 0, !text.deviation.contains(0) else {
            throw fail(.deviation, "a divisor and a deviation are not 0")
        }
        guard text.pad == nil || text.pad?.count == 3 else {
            throw fail(.pad, "the colour of padding is red, green and blue, each 0 to 255")
        }
        self.init(
            resize: resize.ordered(isHeightFirst), crop: Size(width: width, height: height), interpolation: text.interpolation,
            channels: text.channels, divisor: text.divisor, mean: text.mean, deviation: text.deviation)
        passOrder = isHeightFirst ? .adaptive : .horizontalFirst
        if let pad = text.pad { padding = Color(pad[0], pad[1], pad[2]) }
        padsWithZeros = text.padWithZeros ?? false
        guard text.levels == nil || text.levels == Text.numbers else {
            throw fail(.levels, "levels are “\(Text.numbers)” or are not there, not “\(text.levels ?? "")”")
        }
        levels.areNumbers = text.levels != nil
        guard let window = text.window else { return }
        guard window.count == 2, let window = Window(center: window[0], width: window[1]) else {
            throw fail(.window, "a window is its centre and its width, 1 or more")
        }
        levels.window = window
    }
}

/// A preprocessing as its text has it.
private struct Text: Codable {
    /// The version whose resize is followed.
    static let pillow = 13
    static let numbers = "numbers"

    enum CodingKeys: String, CodingKey {
        case resize, crop, interpolation, pad, padWithZeros, pillow, channels, divisor, mean, deviation, levels, window
    }

    var resize: String
    var crop: String
    var interpolation: Interpolation
    /// Red, green and blue; nil for black.
    var pad: [UInt8]?
    /// Nil for no.
    var padWithZeros: Bool?
    /// `numbers` where levels of more than 8 bits stay as they are; nil where they become 8 bits.
    var levels: String?
    /// Of DICOM's numbers, centre and width; nil for the file's own.
    var window: [Double]?
    var pillow: Int?
    var channels: ChannelOrder
    var divisor: Double
    var mean: [Double]
    var deviation: [Double]

    init(_ recipe: Preprocessing, isHeightFirst: Bool? = nil) {
        let isHeightFirst = isHeightFirst ?? (recipe.passOrder == .adaptive)
        resize = recipe.resize.ordered(isHeightFirst).description
        crop = Framing.Resize.exact(width: recipe.crop.width, height: recipe.crop.height).ordered(isHeightFirst).description
        interpolation = recipe.interpolation
        pad = recipe.padding == .black ? nil : [recipe.padding.red, recipe.padding.green, recipe.padding.blue]
        pillow = recipe.passOrder == .adaptive ? Self.pillow : nil
        padWithZeros = recipe.padsWithZeros ? true : nil
        levels = recipe.levels.areNumbers ? Self.numbers : nil
        window = recipe.levels.window.map { [$0.center, $0.width] }
        (channels, divisor, mean, deviation) = (recipe.channels, recipe.divisor, recipe.mean, recipe.deviation)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

extension Framing.Resize {
    /// With width and height exchanged, unless the height comes first.
    fileprivate func ordered(_ isHeightFirst: Bool) -> Framing.Resize {
        guard !isHeightFirst, case .exact(let width, let height) = self else { return self }
        return .exact(width: height, height: width)
    }
}
