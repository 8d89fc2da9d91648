internal import CCodecs

/// Reads a DICOM file's elements up to its pixels, with every length checked (PS3.5, 7 and annex A).
struct DICOMReading {
    private(set) var attributes = DICOMAttributes()
    /// The first frame, as it is stored.
    private(set) var frame: [UInt8] = []
    private var values: [UInt32: [UInt8]] = [:]
    private var isExplicit = true

    /// What is read of the elements.
    private enum Tag {
        static let syntax: UInt32 = 0x0002_0010
        static let (samples, photometric, planes): (UInt32, UInt32, UInt32) = (0x0028_0002, 0x0028_0004, 0x0028_0006)
        static let (rows, columns): (UInt32, UInt32) = (0x0028_0010, 0x0028_0011)
        static let (allocated, stored, highBit, sign): (UInt32, UInt32, UInt32, UInt32) = (
            0x0028_0100, 0x0028_0101, 0x0028_0102, 0x0028_0103
        )
        static let (center, width, curve): (UInt32, UInt32, UInt32) = (0x0028_1050, 0x0028_1051, 0x0028_1056)
        static let (intercept, slope, modality): (UInt32, UInt32, UInt32) = (0x0028_1052, 0x0028_1053, 0x0028_3000)
        static let descriptors: [UInt32] = [0x0028_1101, 0x0028_1102, 0x0028_1103]
        static let palettes: [UInt32] = [0x0028_1201, 0x0028_1202, 0x0028_1203]
        static let pixels: UInt32 = 0x7FE0_0010
        static let floats: Set<UInt32> = [0x7FE0_0008, 0x7FE0_0009]
        static let (item, itemEnd, end): (UInt32, UInt32, UInt32) = (0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD)
        static let wanted = Set(
            [
                samples, photometric, planes, rows, columns, allocated, stored, highBit, sign, center, width, curve, intercept,
                slope,
            ] + descriptors + palettes)
        /// Of files of many frames, what holds slope, intercept and window: shared, and of the first frame.
        static let opened: Set<UInt32> = [0x5200_9229, 0x5200_9230, 0x0028_9145, 0x0028_9132]
    }

    private struct Element {
        var tag: UInt32
        var start: Int
        /// Nil: up to a mark.
        var length: Int?
        var isUnknown = false
    }

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var (offset, syntax) = (132, "")
        while bytes.littleEndian(at: offset, count: 2) == 2 {
            let element = try element(bytes, at: offset)
            guard let length = element.length, length <= bytes.count - element.start else { throw Self.cut(bytes) }
            if element.tag == Tag.syntax { syntax = Self.text(Array(bytes.part(at: element.start, count: length))) }
            offset = element.start + length
        }
        let isDeflated = syntax == "1.2.840.10008.1.2.1.99"
        try take(syntax: syntax)
        guard isDeflated else {
            try read(bytes, from: offset)
            return
        }
        let data = try Self.inflated(bytes.part(at: offset, count: bytes.count))
        let failure = data.withUnsafeBytes { data -> ImageError? in
            do throws(ImageError) {
                try read(data, from: 0)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    private mutating func take(syntax: String) throws(ImageError) {
        switch syntax {
        case "1.2.840.10008.1.2": isExplicit = false
        case "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99": break
        case "1.2.840.10008.1.2.2": attributes.isBigEndian = true
        case "1.2.840.10008.1.2.5": attributes.syntax = .runs
        case "1.2.840.10008.1.2.4.50": attributes.syntax = .jpeg
        default:
            let names: [(String, String)] = [
                ("1.2.840.10008.1.2.4.51", "extended JPEG"), ("1.2.840.10008.1.2.4.57", "lossless JPEG"),
                ("1.2.840.10008.1.2.4.70", "lossless JPEG"), ("1.2.840.10008.1.2.4.80", "JPEG-LS"),
                ("1.2.840.10008.1.2.4.81", "JPEG-LS"), ("1.2.840.10008.1.2.4.90", "JPEG 2000"),
                ("1.2.840.10008.1.2.4.91", "JPEG 2000"), ("1.2.840.10008.1.2.4.20", "high-throughput JPEG 2000"),
                ("1.2.840.10008.1.2.4.1", "a video"),
            ]
            let name = names.first { syntax.hasPrefix($0.0) }?.1
            let words = (name.map { $0 + ", " } ?? "") + "transfer syntax " + (syntax.isEmpty ? "unknown" : syntax)
            throw Self.refused("\(words); gdcmconv --raw IN.dcm OUT.dcm unpacks such")
        }
    }

    // MARK: Elements

    private mutating func read(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(ImageError) {
        var offset = start
        while offset <= bytes.count - 8 {
            let element = try element(bytes, at: offset)
            if Tag.floats.contains(element.tag) { throw Self.refused("its pixels are floats; save them as an array, .npy") }
            if element.tag == Tag.modality {
                throw Self.refused("a table (modality LUT) makes its numbers; save what it makes of them as an array, .npy")
            }
            if element.tag == Tag.pixels {
                try takeValues()
                return try takeFrame(element, bytes)
            }
            if element.tag >> 16 == 0xFFFE || Tag.opened.contains(element.tag) {
                offset = element.start
                continue
            }
            guard let length = element.length else {
                offset = try end(of: element, bytes)
                continue
            }
            guard length <= bytes.count - element.start else { throw Self.cut(bytes) }
            if Tag.wanted.contains(element.tag), values[element.tag] == nil {
                values[element.tag] = Array(bytes.part(at: element.start, count: length))
            }
            offset = element.start + length
        }
        throw ImageError(.corrupt(.dicom, detail: "it has no pixels"))
    }

    private func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ count: Int) throws(ImageError) -> Int {
        // What stands before the data is little-endian in any case.
        let isBig = attributes.isBigEndian
        guard let number = isBig ? bytes.bigEndian(at: offset, count: count) : bytes.littleEndian(at: offset, count: count)
        else { throw Self.cut(bytes) }
        return number
    }

    private func element(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, isExplicit asked: Bool? = nil
    ) throws(ImageError) -> Element {
        let tag = UInt32(try number(bytes, offset, 2)) << 16 | UInt32(try number(bytes, offset + 2, 2))
        func long(_ place: Int, isUnknown: Bool = false) throws(ImageError) -> Element {
            let length = try number(bytes, place, 4)
            return Element(tag: tag, start: place + 4, length: length == 0xFFFF_FFFF ? nil : length, isUnknown: isUnknown)
        }
        guard asked ?? isExplicit, tag >> 16 != 0xFFFE else { return try long(offset + 4) }
        guard bytes.count >= offset + 8 else { throw Self.cut(bytes) }
        let kind = String(decoding: bytes[offset + 4..<offset + 6], as: UTF8.self)
        let isLong = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"].contains(kind)
        guard isLong else {
            return Element(tag: tag, start: offset + 8, length: try number(bytes, offset + 6, 2))
        }
        return try long(offset + 8, isUnknown: kind == "UN")
    }

    /// Where an element of open length ends: sequences and items in it are counted.
    private func end(of element: Element, _ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Int {
        // Whether each of them is explicit; one of an unknown kind is not.
        var (offset, open) = (element.start, [isExplicit && !element.isUnknown])
        while let isExplicit = open.last {
            let inner = try self.element(bytes, at: offset, isExplicit: isExplicit)
            offset = inner.start
            if inner.tag == Tag.itemEnd || inner.tag == Tag.end {
                open.removeLast()
            } else if let length = inner.length {
                guard length <= bytes.count - offset else { throw Self.cut(bytes) }
                offset += length
            } else {
                guard open.count < 64 else { throw ImageError(.corrupt(.dicom, detail: "sequences in sequences without end")) }
                open.append(isExplicit && !inner.isUnknown)
            }
        }
        return offset
    }

    // MARK: Values

    private static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        return text.split(separator: " ").joined(separator: " ")
    }

    private func word(_ tag: UInt32, _ index: Int = 0) -> Int? {
        guard let value = values[tag], value.count >= 2 * index + 2 else { return nil }
        let (first, second) = (Int(value[2 * index]), Int(value[2 * index + 1]))
        return attributes.isBigEndian ? first << 8 | second : second << 8 | first
    }

    /// The first of the decimal numbers of a text.
    private func decimal(_ tag: UInt32) -> Double? {
        guard let value = values[tag] else { return nil }
        let number = Self.text(value).split(separator: "\\").first.flatMap { Double($0.filter { $0 != " " }) }
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    private mutating func takeValues() throws(ImageError) {
        (attributes.width, attributes.height) = (word(Tag.columns) ?? 0, word(Tag.rows) ?? 0)
        let header = Header(kind: .dicom, width: attributes.width, height: attributes.height, orientation: .upright)
        _ = try header.checked()
        let (samples, allocated) = (word(Tag.samples) ?? 1, word(Tag.allocated) ?? 0)
        guard allocated == 8 || allocated == 16 else { throw Self.refused("\(allocated) bits a sample") }
        (attributes.samples, attributes.bitsAllocated) = (samples, allocated)
        attributes.bitsStored = word(Tag.stored) ?? allocated
        attributes.highBit = word(Tag.highBit) ?? attributes.bitsStored - 1
        guard (1...allocated).contains(attributes.bitsStored), attributes.highBit < allocated,
            attributes.highBit >= attributes.bitsStored - 1
        else { throw ImageError(.corrupt(.dicom, detail: "\(attributes.bitsStored) of \(allocated) bits are stored")) }
        attributes.isSigned = word(Tag.sign) == 1
        attributes.isPlanar = word(Tag.planes) == 1
        try takeColors(named: values[Tag.photometric].map(Self.text) ?? "", samples: samples)
        if let slope = decimal(Tag.slope) { attributes.slope = slope }
        if let intercept = decimal(Tag.intercept) { attributes.intercept = intercept }
        if let center = decimal(Tag.center), let width = decimal(Tag.width) {
            attributes.window = Window(center: center, width: width)
        }
        if let name = values[Tag.curve].map(Self.text), let curve = DICOMAttributes.Curve(rawValue: name) {
            attributes.curve = curve
        }
    }

    private mutating func takeColors(named name: String, samples: Int) throws(ImageError) {
        switch (name, samples) {
        case ("MONOCHROME1", 1): attributes.isInverted = true
        case ("MONOCHROME2", 1): break
        case ("RGB", 3): attributes.colors = .rgb
        case ("YBR_FULL", 3): attributes.colors = .ybr
        case ("YBR_FULL_422", 3):
            attributes.colors = .ybr422
            guard attributes.syntax != .plain || attributes.width % 2 == 0 && attributes.bitsAllocated == 8 else {
                throw Self.refused("YBR_FULL_422 of an odd width or more than 8 bits")
            }
        case ("PALETTE COLOR", 1):
            attributes.colors = .palette
            for (descriptor, table) in zip(Tag.descriptors, Tag.palettes) {
                attributes.palettes.append(try palette(descriptor, table))
            }
        default:
            let kind = name.isEmpty ? "unknown" : name
            throw Self.refused("colours of kind \(kind) with \(samples) samples; gdcmconv --raw may help")
        }
    }

    /// Tables of 8 bits, and of 16 their high 8.
    private func palette(_ descriptor: UInt32, _ table: UInt32) throws(ImageError) -> DICOMAttributes.Palette {
        guard let stated = word(descriptor), let first = word(descriptor, 1), let bits = word(descriptor, 2),
            let data = values[table]
        else { throw Self.refused("a palette without tables of colours, or in segments") }
        let count = stated == 0 ? 1 << 16 : stated
        var palette = DICOMAttributes.Palette()
        palette.first = attributes.isSigned ? Int(Int16(truncatingIfNeeded: first)) : first
        if data.count >= 2 * count {
            palette.levels = (0..<count).map { UInt8(truncatingIfNeeded: (word(table, $0) ?? 0) >> (bits > 8 ? bits - 8 : 0)) }
        } else if data.count >= count, bits == 8 {
            palette.levels = Array(data.prefix(count))
        } else {
            throw ImageError(.corrupt(.dicom, detail: "a palette of \(count) colours has \(data.count) bytes"))
        }
        return palette
    }

    // MARK: The frame

    private mutating func takeFrame(_ element: Element, _ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        guard attributes.syntax != .plain else {
            let count = attributes.frameBytes
            let there = element.length.map { min($0, bytes.count - element.start) } ?? 0
            guard there >= count else { throw Self.cut(bytes) }
            frame = Array(bytes.part(at: element.start, count: count))
            return
        }
        guard element.length == nil else { throw ImageError(.corrupt(.dicom, detail: "its packed pixels are in no fragments")) }
        // The first item has the places of frames; then each is a fragment.
        var (offset, index) = (element.start, 0)
        while true {
            let item = try self.element(bytes, at: offset)
            guard item.tag == Tag.item, let length = item.length else { break }
            guard length <= bytes.count - item.start else { throw Self.cut(bytes) }
            let fragment = bytes.part(at: item.start, count: length)
            let isNext = index > 1 && (attributes.syntax == .runs || fragment.starts(with: [0xFF, 0xD8]))
            if isNext { break }
            if index > 0 { frame += fragment }
            (offset, index) = (item.start + length, index + 1)
        }
        guard !frame.isEmpty else { throw ImageError(.corrupt(.dicom, detail: "it has no fragments of pixels")) }
    }

    /// What is packed by deflate as a whole: as much as that can make of it.
    private static func inflated(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> [UInt8] {
        let most = min(1032 * bytes.count + 64, 1 << 31)
        var room = min(4 * bytes.count + 4096, most)
        while true {
            var (count, status) = (room, CODEC_OK)
            let data = [UInt8](unsafeUninitializedCapacity: room) { buffer, written in
                let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
                status = codec_inflate_raw(start, bytes.count, buffer.baseAddress, &count)
                written = status == CODEC_OK ? count : 0
            }
            if status == CODEC_OK { return data }
            guard status == CODEC_UNSUPPORTED, room < most else {
                throw ImageError(.corrupt(.dicom, detail: "its packed bytes are damaged"))
            }
            room = min(4 * room, most)
        }
    }

    static func cut(_ bytes: UnsafeRawBufferPointer) -> ImageError { ImageError(.truncated(.dicom, bytes: bytes.count)) }
    static func refused(_ detail: String) -> ImageError { ImageError(.unsupported(.dicom, detail: detail)) }
}

/// Frames that are packed in runs: PS3.5, annex G.
enum DICOMRuns {
    /// A plane a sample, each sample's high byte first.
    static func unpacked(_ frame: [UInt8], _ attributes: DICOMAttributes) throws(ImageError) -> [UInt8] {
        let (each, count) = (attributes.bytesPerSample, attributes.width * attributes.height)
        let segments = each * attributes.samples
        // A byte makes 64 at most.
        guard frame.count >= 64, frame.count * 64 >= count * segments else {
            throw ImageError(.corrupt(.dicom, detail: "its runs cannot be so many pixels"))
        }
        func number(_ index: Int) -> Int { (0..<4).reduce(0) { $0 | Int(frame[4 * index + $1]) << (8 * $1) } }
        guard number(0) == segments else {
            throw ImageError(.corrupt(.dicom, detail: "\(number(0)) segments of runs where there are \(segments)"))
        }
        var pixels = [UInt8](repeating: 0, count: count * segments)
        for segment in 0..<segments {
            var place = number(1 + segment)
            var (out, left) = (segment / each * count * each + segment % each, count)
            while left > 0, place < frame.count {
                let length = Int(Int8(bitPattern: frame[place]))
                place += 1
                if length == -128 { continue }
                let (isRun, copies) = (length < 0, min(abs(length) + 1, left))
                guard place + (isRun ? 1 : copies) <= frame.count else { break }
                for copy in 0..<copies {
                    pixels[out] = frame[place + (isRun ? 0 : copy)]
                    out += each
                }
                place += isRun ? 1 : length + 1
                left -= copies
            }
            guard left == 0 else { throw ImageError(.truncated(.dicom, bytes: frame.count)) }
        }
        return pixels
    }
}
