import Foundation

/// Memory that many workers read and none writes.
final class SharedFloats: @unchecked Sendable {  // Written before it is shared.
    let start: UnsafeMutablePointer<Float>

    init(count: Int) {
        start = LargeMemory.allocate(count * MemoryLayout<Float>.size).bindMemory(to: Float.self, capacity: count)
    }

    deinit { LargeMemory.deallocate(UnsafeMutableRawPointer(start)) }
}

/// Memory that vectors like, in pages of 2 MB where it is large and the system has them: they are got at once, and found at once.
enum LargeMemory {
    private static let page = 2 << 20

    /// - Returns: `bytes` that start on a boundary of 64, with anything in them.
    static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        let isLarge = bytes >= page
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, isLarge ? page : WorkerMemory.alignment, max(bytes, 64)) == 0, let memory else {
            fatalError("no memory for \(bytes) bytes")
        }
        #if os(Linux)
            if isLarge { madvise(memory, bytes & ~(page - 1), MADV_HUGEPAGE) }
        #endif
        return memory
    }

    static func deallocate(_ memory: UnsafeMutableRawPointer) { free(memory) }
}
