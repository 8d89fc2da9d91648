import Images

/// One reader for all, as a worker has: what a picture leaves in it must not harm the next.
nonisolated(unsafe) private let reader = ImageReader()

/// Bytes as a picture: decoded whole and framed, or refused with an `ImageError`; and what is framed is what a new reader makes of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    _ = try? reader.decode(bytes)
    let framing = Framing(resize: .shorterSide(32), crop: Size(width: 28, height: 28))
    let framed = try? reader.read(bytes, framing: framing)
    _ = framed
    // For a network of other channels than pictures have.
    _ = try? reader.read(bytes, framing: Framing(resize: .none, crop: Size(width: 28, height: 28), channels: 4))
    // Numbers of more than 8 bits, and a window of them.
    let levels = Levels(areNumbers: count % 2 == 0, window: Window(center: 40, width: 400))
    let raw = Framing(resize: .textLine, crop: Size(width: 28, height: 28), channels: 1, levels: levels)
    _ = try? reader.read(bytes, framing: raw)
    unpack(Array(bytes))
    return 0
}

/// Bytes as a tar or a zip: what is found in it is read, or refused.
private func unpack(_ bytes: [UInt8]) {
    guard let archive = try? Archive(bytes) else { return }
    for entry in archive.entries where entry.bytes < 1 << 20 {
        var contents = [UInt8](repeating: 0, count: entry.bytes)
        contents.withUnsafeMutableBytes { try? archive.read(entry, of: bytes, to: $0) }
    }
}
