import Images

/// The masks of one image as the network's input frame shows them.
struct MaskedFrame {
    let placement: Placement
    /// What is not padding.
    let shown: PixelSet
    /// By the number of the concept; those that are there.
    private(set) var parts: [Int: PixelSet] = [:]
    /// Pixels of colours that the table does not name, and the first of them.
    private(set) var strange = 0
    private(set) var strangeExample: String?

    private let pixels: Int

    init(_ placement: Placement) {
        self.placement = placement
        pixels = placement.crop.width * placement.crop.height
        var shown = PixelSet(of: pixels)
        for row in placement.shown.rows {
            for column in placement.shown.columns { shown.insert(row * placement.crop.width + column) }
        }
        self.shown = shown
    }

    mutating func add(_ shape: ConceptMasks.Shape) {
        var part = parts[shape.concept] ?? PixelSet(of: pixels)
        shape.outline.add(to: &part, in: placement)
        if !part.isEmpty { parts[shape.concept] = part }
    }

    /// Black that the table does not name is nothing, and no surprise.
    mutating func add(_ mask: Image, _ colors: [Color: Int?], file: String) {
        let sources = SourcePixels(placement)
        var (last, known): (Color?, Int??) = (nil, nil)
        for (row, y) in zip(placement.shown.rows, sources.rows) {
            for (column, x) in zip(placement.shown.columns, sources.columns) {
                let color = mask[x, y]
                if color != last { (last, known) = (color, colors[color]) }
                guard let known else {
                    guard color != .black else { continue }
                    strange += 1
                    if strangeExample == nil { strangeExample = "\(color.hexadecimal) in '\(file)'" }
                    continue
                }
                if let concept = known {
                    parts[concept, default: PixelSet(of: pixels)].insert(row * placement.crop.width + column)
                }
            }
        }
    }
}

extension Color {
    /// Such as `#e6194b`.
    var hexadecimal: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
