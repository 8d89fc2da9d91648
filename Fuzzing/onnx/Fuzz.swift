import Foundation
import NeuralNetwork

/// Bytes as an ONNX file: read or refused with a `NetworkError`. One in eight of those that are read is compiled, which takes a thousand times
/// as long, and run on a grey image if it is small.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Data(bytes: start, count: count)
    do {
        _ = try DifferentiableNetwork(bytes: bytes, path: "/nonexistent/fuzzed.onnx")
        guard bytes.reduce(0, { ($0 &* 31) &+ Int($1) }).isMultiple(of: 8) else { return 0 }
        let network = try Network(bytes: bytes, path: "/nonexistent/fuzzed.onnx")
        guard network.workerBytes < 1 << 24 else { return 0 }
        let worker = try network.makeWorker()
        for image in 0..<network.batch { worker.input(image: image).update(repeating: 0.5) }
        try worker.run()
        _ = worker.output(image: 0)
    } catch is NetworkError {
    } catch {
        fatalError("not a NetworkError: \(error)")
    }
    return 0
}
