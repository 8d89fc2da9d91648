import CKernels
import Foundation

/// Memory that many workers read and none writes.
final class SharedFloats: @unchecked Sendable {  // Written before it is shared.
    let start: UnsafeMutablePointer<Float>

    init(count: Int) {
        start = ndx_allocate_large(count * MemoryLayout<Float>.size).bindMemory(to: Float.self, capacity: count)
    }

    deinit { free(start) }
}
