extension PNG {
    /// An animated PNG (https://www.w3.org/TR/png-3/#apng-frame-based-animation) that plays once and stands; readers that know
    /// no animation show its first frame. The same frames make the same bytes.
    ///
    /// - Parameter text: about it, as in `Image/pngData(text:)`.
    /// - Precondition: there is a frame, and all are of one size.
    /// - Throws: `ImageError` where a text cannot be stored, or libpng fails.
    public static func animation(
        of frames: [Image], milliseconds: Int, text: [(String, String)] = []
    ) throws(ImageError) -> [UInt8] {
        precondition(
            !frames.isEmpty && frames.allSatisfy { $0.width == frames[0].width && $0.height == frames[0].height },
            "frames of one size")
        let first = try frames[0].pngData()
        let headerEnd = signature.count + 25
        var file = Array(first[..<headerEnd])
        for (keyword, text) in text { file += try chunk(keyword: keyword, text: text) }
        file += chunk(type: "acTL", data: bytes(UInt32(frames.count)) + bytes(1))
        var sequence: UInt32 = 0
        for (index, frame) in frames.enumerated() {
            // In thousandths of a second; the last one stands for two seconds.
            let delay = UInt16(clamping: index == frames.count - 1 ? 2000 : milliseconds)
            file += chunk(
                type: "fcTL",
                data: bytes(sequence) + bytes(UInt32(frame.width)) + bytes(UInt32(frame.height)) + bytes(0) + bytes(0)
                    + [UInt8(delay >> 8), UInt8(delay & 255), 3, 232, 0, 0])
            sequence += 1
            for data in pixelChunks(of: index == 0 ? first : try frame.pngData()) {
                if index == 0 {
                    file += chunk(type: "IDAT", data: data)
                } else {
                    file += chunk(type: "fdAT", data: bytes(sequence) + data)
                    sequence += 1
                }
            }
        }
        return file + chunk(type: "IEND", data: [])
    }

    /// The frames of an animated PNG as PNGs of their own, each to be decoded; of a still one its picture alone.
    ///
    /// For animations as they are made here, whose frames are as large as the picture; bytes that are no PNG give none.
    public static func frames(in bytes: [UInt8]) -> [[UInt8]] {
        guard bytes.starts(with: signature) else { return [] }
        var header: [UInt8] = []
        var frames: [[UInt8]] = []
        bytes.withUnsafeBytes { bytes in
            forEachChunk(bytes) { part in
                switch part.type {
                case "IHDR": header = chunk(type: "IHDR", data: Array(part.data))
                case "IDAT" where frames.isEmpty: frames.append(signature + header + chunk(type: "IDAT", data: Array(part.data)))
                case "IDAT": frames[0] += chunk(type: "IDAT", data: Array(part.data))
                case "fcTL" where !frames.isEmpty: frames.append(signature + header)
                case "fdAT" where frames.count > 1:
                    frames[frames.count - 1] += chunk(type: "IDAT", data: Array(part.data.dropFirst(4)))
                default: break
                }
                return true
            }
        }
        return frames.map { $0 + chunk(type: "IEND", data: []) }
    }

    /// What is in the IDAT chunks of a PNG.
    private static func pixelChunks(of file: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        file.withUnsafeBytes { bytes in
            forEachChunk(bytes) { chunk in
                if chunk.type == "IDAT" { found.append(Array(chunk.data)) }
                return true
            }
        }
        return found
    }

    private static func bytes(_ number: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
}
