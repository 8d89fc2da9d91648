import Foundation
import Images
import TestSupport
import Testing

/// All 240 photographs against the hashes of Pillow's and torchvision's pixels.
@Suite struct PhotographTests {
    static let reference = "reference/squeezenet1.1-maxima.npz"
    static let photos = "real/photos/imagenet-sample"

    @Test(.enabled(if: Shared.has(reference) && Shared.has(photos), "needs the shared photographs and their reference"))
    func pixelsArePillowsAndTorchvisions() throws {
        let reference = try NPZ(Shared.path(Self.reference))
        let files = try reference["files"].strings
        let decoded = try reference["decoded"].strings
        let resized = try reference["resized"].strings
        #expect(files.count == 240)
        let reader = ImageReader()
        for (i, file) in files.enumerated() {
            let path = Shared.path("\(Self.photos)/\(file)")
            let whole = try reader.decode(contentsOf: path)
            #expect(digest(whole.pixels) == decoded[i], "\(file)")
            let framed = try reader.read(contentsOf: path, framing: torchvision)
            #expect(digest(framed.image.pixels) == resized[i], "\(file)")
            #expect(framed.placement.source == Size(width: whole.width, height: whole.height))
        }
    }

    /// Prints the milliseconds a photograph takes, best of five rounds.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["NEURODEX_MEASURE"] != nil && Shared.has(photos),
            "set NEURODEX_MEASURE to time the shared photographs"))
    func timePerPhotograph() throws {
        let paths = try Shared.names(in: Self.photos).filter { $0.hasSuffix("JPEG") }.map { Shared.path("\(Self.photos)/\($0)") }
        let reader = ImageReader()
        let clock = SuspendingClock()
        func milliseconds(_ body: (String) throws -> Void) rethrows -> Double {
            let rounds = try (0..<5).map { _ in try clock.measure { for path in paths { try body(path) } } }
            return (rounds.min() ?? .zero) / .milliseconds(paths.count)
        }
        let whole = try milliseconds { _ = try reader.decode(contentsOf: $0) }
        let framed = try milliseconds { _ = try reader.read(contentsOf: $0, framing: torchvision) }
        print("\(paths.count) photographs: decode \(whole) ms, decode, resize and crop \(framed) ms each")
        #expect(framed < 50)
    }
}
