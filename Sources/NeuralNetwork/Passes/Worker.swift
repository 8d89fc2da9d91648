import Foundation

/// One thread's share of a network: its own memory, and the network's steps bound to it.
///
/// Write images into `input`, call `run`, read the maxima. All kernels run on the calling thread.
public final class Worker {
    public let network: Network
    private let memory: WorkerMemory
    private let actions: [WorkerAction]

    init(_ network: Network) throws {
        self.network = network
        let memory = WorkerMemory(
            network.program, plan: network.plan, neurons: network.neuronCount, meanNeurons: network.meanCount)
        self.memory = memory
        actions = try network.program.bound(to: memory)
    }

    /// The tensor of one image of the batch, to be written before `run`: height × width × channels, channels innermost.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<network.batch).contains(image), "image \(image) of a batch of \(network.batch)")
        let count = network.program.input.count
        return UnsafeMutableBufferPointer(start: memory[network.program.input] + image * count, count: count)
    }

    /// Runs all images of the batch; where fewer were written, the rest hold what they held.
    /// - Throws: `NetworkError.kernel`.
    public func run() throws { try network.program.run(actions) }

    /// As `run`, with the seconds of CPU time that each step took, under the name of its layer and its place in the program.
    package func runTimed() throws -> [(step: String, seconds: Double)] {
        try zip(network.program.steps, actions).enumerated().map { index, step in
            let start = Self.seconds
            try step.1()
            let time = Self.seconds - start
            return ("\(index) \(step.0.layer)\(step.0.writes.isEmpty ? " (recording)" : "")", time)
        }
    }

    /// Of CPU time that this thread has had.
    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The maximum of every neuron on one image of the batch, in the order of the network's layers.
    public func maxima(image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: memory.values + image * network.neuronCount, count: network.neuronCount)
    }

    /// Where each maximum stands: y * width + x, the first in row-major order.
    public func positions(image: Int) -> UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(start: memory.positions + image * network.neuronCount, count: network.neuronCount)
    }

    /// The spatial means of the layers that keep them, in the order of the layers.
    public func means(image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: memory.means + image * network.meanCount, count: network.meanCount)
    }

    /// The network's answer on one image (after softmax, where the model has one), row-major.
    public func output(image: Int) -> [Float] {
        let location = network.output
        let base = memory[location] + image * location.count
        return HostTensor.indices(shape: location.shape, strides: location.strides).map { base[$0] }
    }
}
