import SystemZlib

/// What files of pictures are packed with, for tests that write some by hand.
public enum Zlib {
    public static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var count = compressBound(uLong(bytes.count))
        let room = Int(count)
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
            let status = compress(buffer.baseAddress, &count, bytes, uLong(bytes.count))
            precondition(status == Z_OK, "zlib cannot pack \(bytes.count) bytes")
            initialized = Int(count)
        }
    }

    /// CRC-32, as in the chunks of PNG.
    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32(0, bytes, UInt32(bytes.count)))
    }
}
