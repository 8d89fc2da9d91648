import COneDNN

/// A compiled kernel with its packed weights: immutable, run by all workers at once, each with its own memory.
final class Kernel: @unchecked Sendable {  // The C object is never written after it is made.
    private let handle: OpaquePointer

    /// - Throws: `Refusal` with oneDNN's words where it cannot be made.
    init(_ make: () -> OpaquePointer?) throws {
        guard let handle = make() else {
            throw Refusal("oneDNN \(String(cString: nd_version())): \(String(cString: nd_last_error()))")
        }
        self.handle = handle
    }

    deinit { nd_kernel_free(handle) }

    /// Bytes.
    var scratchSize: Int { nd_kernel_scratch(handle) }

    /// This kernel on one worker's memory: what runs it. `pointers` are its arguments in order.
    func bound(to pointers: [UnsafeMutablePointer<Float>], scratch: UnsafeMutableRawPointer) throws -> WorkerAction {
        let call = try Call(kernel: self, pointers: pointers, scratch: scratch)
        return { try call.run() }
    }

    private final class Call {
        private let kernel: Kernel
        private let handle: OpaquePointer

        init(kernel: Kernel, pointers: [UnsafeMutablePointer<Float>], scratch: UnsafeMutableRawPointer) throws {
            let arguments = pointers.map { Optional($0) }
            guard let handle = nd_bind(kernel.handle, arguments, arguments.count, scratch) else {
                throw Refusal(String(cString: nd_last_error()))
            }
            self.kernel = kernel
            self.handle = handle
        }

        deinit { nd_call_free(handle) }

        func run() throws {
            guard nd_run(handle) else { throw Refusal(String(cString: nd_last_error())) }
        }
    }
}
