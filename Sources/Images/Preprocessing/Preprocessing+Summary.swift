extension Preprocessing {
    /// The recipe in a line: `shorter side 256 → crop 224, ImageNet mean`.
    public var summary: String {
        var parts: [String] = []
        func size(_ height: Int, _ width: Int) -> String { height == width ? "\(height)" : "\(height)×\(width)" }
        let crop = "crop \(size(crop.height, crop.width))"
        switch resize {
        case .none: parts.append("not resized → \(crop)")
        case .shorterSide(let side): parts.append("shorter side \(side) → \(crop)")
        case .exact(let width, let height):
            let isWhole = width == self.crop.width && height == self.crop.height
            parts.append("resized to \(size(height, width))" + (isWhole ? "" : " → \(crop)"))
        case .letterbox(let anchor):
            parts.append("letterbox \(size(self.crop.height, self.crop.width))" + (anchor == .corner ? " from the corner" : ""))
        case .textLine: parts.append("line of text, \(size(self.crop.height, self.crop.width)) at most")
        }
        if padsWithZeros { parts.append("padded with zeros") }
        if !padsWithZeros, padding != .black || isLetterbox { parts.append("padded with \(padding)") }
        if interpolation != .bilinear { parts.append(interpolation.rawValue) }
        if channels != .rgb { parts.append(channels == .bgr ? "BGR" : channels == .grey ? "grey" : "\(channelCount) bands") }
        if let window = levels.window { parts.append("window \(window)") }
        parts.append(values)
        return parts.joined(separator: ", ")
    }

    private var values: String {
        func list(_ numbers: [Double]) -> String { numbers.map { "\(Float($0))" }.joined(separator: ",") }
        let range = divisor == 1 ? "values 0 to 255" : divisor == 255 ? "values 0 to 1" : "values divided by \(Float(divisor))"
        let isPlain = deviation.allSatisfy { $0 == 1 }
        if isPlain, mean.allSatisfy({ $0 == 0 }) { return range }
        for preset in [Preset.torchvision, .caffe] where channels != .bands {
            let known = Preprocessing(preset, input: crop, channelCount: channelCount)
            guard (known.mean, known.deviation, known.divisor) == (mean, deviation, divisor) else { continue }
            return preset == .torchvision ? "ImageNet mean" : "Caffe's mean"
        }
        return "\(range), mean \(list(mean))" + (isPlain ? "" : ", deviation \(list(deviation))")
    }
}
