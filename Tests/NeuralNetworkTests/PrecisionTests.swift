import CKernels
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Convolutions of numbers with 8 significant bits.
@Suite struct PrecisionTests {
    @Test func rounding() {
        // Halfway goes to the even one; beyond the largest is infinite.
        let numbers: [(Float, UInt16)] = [
            (0, 0), (-0.0, 0x8000), (1, 0x3F80), (1 + 0x1p-8, 0x3F80), (1 + 0x1p-7, 0x3F81), (1 + 3 * 0x1p-8, 0x3F82),
            (1 + 0x1p-8 + 0x1p-20, 0x3F81), (-1 - 3 * 0x1p-8, 0xBF82), (.infinity, 0x7F80), (-.infinity, 0xFF80),
            (.greatestFiniteMagnitude, 0x7F80), (.leastNonzeroMagnitude, 0), (0x1p-130, 0x0008),
        ]
        var found = [UInt16](repeating: 0, count: numbers.count)
        ndx_to_bfloat16(numbers.map(\.0), &found, found.count)
        for (number, bits) in zip(numbers, found) { #expect(bits == number.1, "\(number.0)") }
        for bits in [0x7FC0_0000, 0x7F80_0001, 0xFFFF_FFFF] as [UInt32] {
            var one: UInt16 = 0
            ndx_to_bfloat16([Float(bitPattern: bits)], &one, 1)
            #expect(Float(bitPattern: UInt32(one) << 16).isNaN, "\(bits)")
        }
    }

    @Test func aProcessorWithoutItIsNamed() throws {
        var options = Network.Options()
        options.precision = .bfloat16
        options.supportsPrecision = false
        let error = networkError { _ = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options) }
        #expect(error == .precision(.bfloat16))
        #expect(error?.description.contains("AVX512-BF16") == true)
        options.precision = .float32
        #expect(
            networkError { _ = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options) } == .precision(.float32))
        #expect(Precision.float32.isSupported)
    }

    private func maxima(_ precision: Precision, batch: Int, of images: [[Float]]) throws -> (network: Network, maxima: [[Float]])
    {
        var options = Network.Options()
        options.precision = precision
        options.batch = batch
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options)
        let worker = try network.makeWorker()
        var found: [[Float]] = []
        for start in stride(from: 0, to: images.count, by: batch) {
            let some = images[start..<min(start + batch, images.count)]
            for (slot, image) in some.enumerated() { _ = worker.input(image: slot).update(from: image) }
            try worker.run()
            for slot in some.indices { found.append(Array(worker.maxima(image: slot - start))) }
        }
        return (network, found)
    }

    private func photographs() throws -> [[Float]] {
        let recipe = Preprocessing(.torchvision, input: .init(width: 96, height: 96), channelCount: 3)
        return try Fixtures.pictures().prefix(5).map {
            recipe.tensor(from: try ImageReader().read(contentsOf: Fixtures.path("petshop/\($0)"), framing: recipe.framing).image)
        }
    }

    /// A product of rounded numbers is within 2⁻⁸ of its own size; of sums, and through nine layers, a few of these of the largest.
    @Test(.enabled(if: Precision.bfloat16.isSupported)) func maximaAreThoseOfFloatsWithinItsError() throws {
        let images = try photographs()
        let exact = try maxima(.float32, batch: 1, of: images)
        let rounded = try maxima(.bfloat16, batch: 1, of: images)
        #expect(exact.maxima != rounded.maxima, "it must have been used")
        for layer in exact.network.layers {
            let neurons = layer.firstNeuron..<layer.firstNeuron + layer.channels
            for (image, pair) in zip(exact.maxima, rounded.maxima).enumerated() {
                let error = distance(Array(pair.1[neurons]), pair.0[neurons].map(Double.init))
                #expect(error < 0x1p-5, "image \(image), layer \(layer.name)")
            }
        }
    }

    @Test(.enabled(if: Precision.bfloat16.isSupported)) func batchesChangeNoBit() throws {
        let images = try photographs()
        let one = try maxima(.bfloat16, batch: 1, of: images).maxima
        for batch in [2, 3, 4] { #expect(try maxima(.bfloat16, batch: batch, of: images).maxima == one, "batch of \(batch)") }
    }
}
