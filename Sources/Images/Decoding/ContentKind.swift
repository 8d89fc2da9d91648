/// What a file's first bytes say it is, whatever its name says.
public enum ContentKind: String, Sendable, Equatable, CaseIterable {
    case jpeg, png, webp
    case gif, bmp, tiff, dicom, pnm, heif, avif, jpeg2000, jpegXL, photoshop, icon, svg
    case pdf, html, zip, gzip, npy, text, zeros, unknown

    /// With its article, for a sentence: "a GIF image".
    public var name: String {
        switch self {
        case .jpeg: "a JPEG image"
        case .png: "a PNG image"
        case .webp: "a WebP image"
        case .gif: "a GIF image"
        case .bmp: "a BMP image"
        case .tiff: "a TIFF image"
        case .dicom: "a DICOM file"
        case .pnm: "a PNM (PPM, PGM or PBM) image"
        case .heif: "an HEIF image"
        case .avif: "an AVIF image"
        case .jpeg2000: "a JPEG 2000 image"
        case .jpegXL: "a JPEG XL image"
        case .photoshop: "a Photoshop image"
        case .icon: "an icon"
        case .svg: "an SVG drawing"
        case .pdf: "a PDF document"
        case .html: "an HTML page"
        case .zip: "a ZIP archive"
        case .gzip: "a gzip archive"
        case .npy: "a NumPy array"
        case .text: "text"
        case .zeros: "nothing but zero bytes"
        case .unknown: "nothing that neurodex recognises"
        }
    }

    /// Whether neurodex decodes it.
    public var isDecoded: Bool {
        switch self {
        case .jpeg, .png, .webp, .tiff, .dicom, .gif, .bmp, .heif, .avif, .jpegXL, .npy: true
        default: false
        }
    }

    /// The kinds that are decoded, for sentences.
    public static let decoded = "JPEG, PNG, WebP, TIFF, GIF, BMP, AVIF, HEIC, JPEG XL, DICOM and arrays (.npy)"

    /// Debian's package of the library that it takes, where the program looks for that when it runs.
    var library: String? {
        switch self {
        case .tiff: "libtiff6"
        case .heif, .avif: "libheif1"
        case .jpegXL: "libjxl0.7"
        default: nil
        }
    }

    /// Whether it is a picture, decoded or not: then converting it helps.
    public var isImage: Bool {
        switch self {
        case .pdf, .html, .zip, .gzip, .text, .zeros, .unknown: false
        default: true
        }
    }

    /// Recognises content by its signature; only the first 512 bytes are looked at.
    public init(of bytes: UnsafeRawBufferPointer) {
        func starts(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count && bytes[offset..<offset + signature.count].elementsEqual(signature)
        }
        func starts(_ text: StaticString, at offset: Int = 0) -> Bool {
            text.withUTF8Buffer { starts(Array($0), at: offset) }
        }
        if let kind = Self.signatures.first(where: { starts($0.bytes) })?.kind {
            self = kind
        } else if starts("RIFF") && starts("WEBP", at: 8) {
            self = .webp
        } else if starts("BM") && bytes.count >= 26 && bytes[6..<10].allSatisfy({ $0 == 0 }) {
            self = .bmp
        } else if starts("ftyp", at: 4) {
            let isAVIF = starts("avif", at: 8) || starts("avis", at: 8)
            let isHEIF = starts("he", at: 8) || starts("mif1", at: 8)
            self = isAVIF ? .avif : isHEIF ? .heif : .unknown
        } else if starts("DICM", at: 128) {
            self = .dicom
        } else if bytes.count > 2 && bytes[0] == 0x50 && (0x31...0x37).contains(bytes[1])
            && [0x09, 0x0A, 0x0D, 0x20].contains(bytes[2])
        {
            self = .pnm
        } else {
            self = ContentKind(ofText: bytes.prefix(512))
        }
    }

    /// The first bytes of kinds that these alone tell.
    private static let signatures: [(bytes: [UInt8], kind: ContentKind)] = [
        ([0xFF, 0xD8, 0xFF], .jpeg),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
        (Array("GIF87a".utf8), .gif), (Array("GIF89a".utf8), .gif),
        ([0x49, 0x49, 0x2A, 0x00], .tiff), ([0x4D, 0x4D, 0x00, 0x2A], .tiff), ([0x49, 0x49, 0x2B, 0x00], .tiff),
        ([0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50, 0x20, 0x20], .jpeg2000), ([0xFF, 0x4F, 0xFF, 0x51], .jpeg2000),
        ([0xFF, 0x0A], .jpegXL), ([0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20], .jpegXL),
        (Array("8BPS".utf8), .photoshop),
        ([0x00, 0x00, 0x01, 0x00], .icon),
        (Array("%PDF".utf8), .pdf),
        ([0x50, 0x4B, 0x03, 0x04], .zip),
        ([0x1F, 0x8B], .gzip),
        ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], .npy),
    ]

    private init(ofText bytes: Slice<UnsafeRawBufferPointer>) {
        if !bytes.isEmpty && bytes.allSatisfy({ $0 == 0 }) {
            self = .zeros
        } else if bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            self = text.contains("<svg") ? .svg : text.contains("<html") || text.contains("<!doctype html") ? .html : .text
        } else {
            self = .unknown
        }
    }
}
