import Foundation

/// Maps of a layer on one image after the other, in a file that nobody else sees and that is gone with the program: of each
/// image the channels that can still matter.
///
/// In the folder for temporary files, which `TMPDIR` chooses. Reading is for any number of threads, once all is written.
final class ActivationSpill: @unchecked Sendable {  // Written by one thread, and only read after that.
    private let file: Int32
    private let folder: String
    private let positions: Int
    private var end = 0
    /// By image: where it begins, and how many channels it has.
    private var places: [(offset: Int, channels: Int)] = []

    /// - Parameter positions: of a channel's map.
    /// - Throws: `ExplanationError.file`.
    init(positions: Int) throws {
        self.positions = positions
        folder = FileManager.default.temporaryDirectory.path
        var name = Array((folder + "/neurodex-XXXXXX").utf8CString)
        file = mkstemp(&name)
        guard file >= 0 else {
            throw ExplanationError.file(path: folder, reason: String(cString: strerror(errno)) + "; maps are put aside there")
        }
        unlink(name)
    }

    deinit { close(file) }

    var bytes: Int { end }

    /// - Parameters:
    ///   - channels: of the image that are kept.
    ///   - planes: of all channels, one after the other.
    func append(_ channels: [UInt32], of planes: [Float]) throws {
        places.append((end, channels.count))
        try channels.withUnsafeBytes { try write($0) }
        try planes.withUnsafeBufferPointer { planes in
            for channel in channels {
                let plane = UnsafeBufferPointer(rebasing: planes[Int(channel) * positions..<(Int(channel) + 1) * positions])
                try write(UnsafeRawBufferPointer(plane))
            }
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(file, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(end))
            guard count > 0 || errno == EINTR else {
                let reason = String(cString: strerror(errno))
                throw ExplanationError.file(
                    path: folder,
                    reason: "\(reason), after \(end) bytes of maps that are put aside there; choose another folder with TMPDIR")
            }
            done += max(count, 0)
            end += max(count, 0)
        }
    }

    /// Hands each channel that image `index` has to `body`, in their order.
    func forEach(of index: Int, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
        let (offset, count) = places[index]
        let channels = try read(count, at: offset, of: UInt32.self)
        let planes = try read(count * positions, at: offset + count * MemoryLayout<UInt32>.size, of: Float.self)
        try planes.withUnsafeBufferPointer { planes in
            for (number, channel) in channels.enumerated() {
                try body(Int(channel), UnsafeBufferPointer(rebasing: planes[number * positions..<(number + 1) * positions]))
            }
        }
    }

    private func read<Element: BitwiseCopyable>(_ count: Int, at offset: Int, of _: Element.Type) throws -> [Element] {
        try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            while done < count * MemoryLayout<Element>.stride {
                let got = pread(
                    file, bytes.baseAddress?.advanced(by: done), count * MemoryLayout<Element>.stride - done,
                    off_t(offset + done))
                guard got > 0 || got < 0 && errno == EINTR else {
                    throw ExplanationError.file(path: folder, reason: "maps that were put aside there cannot be read again")
                }
                done += max(got, 0)
            }
            initialized = count
        }
    }
}
