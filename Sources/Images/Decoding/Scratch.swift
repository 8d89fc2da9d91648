/// Memory that is kept from one picture to the next and grows as needed; its content is undefined after each request.
struct Scratch: ~Copyable {
    /// Beyond this many bytes the memory is not kept for long: the next smaller request gives it back.
    private static let kept = 64 << 20

    private var buffer = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    /// At least `bytes` bytes, valid until the next request.
    mutating func pointer(bytes: Int) -> UnsafeMutablePointer<UInt8> {
        if let start = buffer.baseAddress, buffer.count >= bytes, buffer.count <= Scratch.kept || bytes * 2 > buffer.count {
            return start
        }
        buffer.deallocate()
        let start = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes, 1))
        buffer = UnsafeMutableBufferPointer(start: start, count: max(bytes, 1))
        return start
    }

    deinit { buffer.deallocate() }
}
