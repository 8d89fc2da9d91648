internal import Foundation

/// What a DICOM file says of its pixels.
struct DICOMAttributes {
    enum Syntax: Sendable { case plain, runs, jpeg }
    enum Colors: Sendable { case grey, rgb, ybr, ybr422, palette }

    /// How numbers become shares of white: the VOI LUT functions of PS3.3, C.11.2.1.2 and C.11.2.1.3.
    enum Curve: String {
        case linear = "LINEAR"
        case exact = "LINEAR_EXACT"
        case sigmoid = "SIGMOID"

        /// The share of white of a number; below 0 and above 1 outside of the window.
        func share(_ window: Window) -> (Double) -> Double {
            let (center, width) = (window.center, window.width)
            switch self {
            // Of a window of one number, all from it on is white.
            case .linear: return { width > 1 ? ($0 - (center - 0.5)) / (width - 1) + 0.5 : $0 > center - 0.5 ? 1 : 0 }
            case .exact: return { ($0 - center) / width + 0.5 }
            case .sigmoid: return { 1 / (1 + exp(-4 * ($0 - center) / width)) }
            }
        }
    }

    /// A colour's table of a palette.
    struct Palette {
        var first = 0
        /// Levels of 8 bits, at least one.
        var levels: [UInt8] = []

        func level(of value: Int) -> UInt8 { levels[min(max(value - first, 0), levels.count - 1)] }
    }

    var syntax = Syntax.plain
    var isBigEndian = false
    var width = 0
    var height = 0
    var samples = 1
    var colors = Colors.grey
    var isInverted = false
    var isPlanar = false
    var bitsAllocated = 0
    var bitsStored = 0
    var highBit = 0
    var isSigned = false
    var slope = 1.0
    var intercept = 0.0
    var window: Window?
    var curve = Curve.linear
    var palettes: [Palette] = []

    var isGrey: Bool { colors == .grey }
    var bytesPerSample: Int { bitsAllocated / 8 }
    /// Of a frame that is unpacked.
    var frameBytes: Int {
        colors == .ybr422 ? (width + 1) / 2 * 4 * height : width * height * samples * bytesPerSample
    }

    var header: Header { Header(kind: .dicom, width: width, height: height, orientation: .upright) }

    mutating func becomeDecoded() {
        if !isGrey { (colors, samples, isPlanar) = (.rgb, 3, false) }
        (syntax, bitsAllocated, bitsStored, highBit, isSigned) = (.plain, 8, 8, 7, false)
    }

    /// Runs hold planes, of each sample the high byte first.
    mutating func becomePlanar() {
        (syntax, isPlanar, isBigEndian) = (.plain, true, true)
        if colors == .ybr422 { colors = .ybr }
    }
}
