internal import Support

/// What of more than 8 bits becomes of a picture: numbers that the network takes as they are, or 8 bits.
public struct Levels: Sendable, Equatable {
    /// Whether levels stay the numbers that the file has: of PNG and TIFF of 16 bits 0 to 65535, of DICOM's grey what its slope and intercept make
    /// of them. Else they become 8 bits: the high 8, of DICOM what the window shows. Pictures of 8 bits, but DICOM's grey, are the same either way.
    public var areNumbers: Bool
    /// The part of DICOM's numbers that is shown from black to white, where they become 8 bits; nil: the file's own.
    public var window: Window?

    public init(areNumbers: Bool = false, window: Window? = nil) { (self.areNumbers, self.window) = (areNumbers, window) }
}

/// A part of the numbers of a medical picture: what is shown from black to white. Its text form is that of the command line, `40,400`.
public struct Window: Sendable, Equatable, LosslessStringConvertible {
    public let center: Double
    /// At least 1.
    public let width: Double

    /// Nil for numbers that make no window.
    public init?(center: Double, width: Double) {
        guard center.isFinite, width.isFinite, width >= 1 else { return nil }
        (self.center, self.width) = (center, width)
    }

    public init?(_ description: String) {
        let parts = description.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let center = parts[0], let width = parts[1] else { return nil }
        self.init(center: center, width: width)
    }

    public var description: String { "\(center.shortText),\(width.shortText)" }
}
