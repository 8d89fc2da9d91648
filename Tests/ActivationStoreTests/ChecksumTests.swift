import CKernels
import TestSupport
import Testing

@Suite struct ChecksumTests {
    @Test func isCastagnolis() {
        // The check value of CRC-32C in the catalogue of parametrised CRC algorithms (G. Cook).
        #expect(ndx_checksum(0, "123456789", 9) == 0xe306_9283)
        #expect(ndx_checksum(0, nil, 0) == 0)
    }

    @Test func pathsAgree() {
        var random = SeededGenerator(seed: 1)
        let bytes = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        // Pieces of 3 × 64 and 3 × 256 bytes are taken at once.
        for count in Array(0...1700) + Array(stride(from: 1701, through: bytes.count, by: 97)) {
            let whole = ndx_checksum(0, bytes, count)
            #expect(whole == ndx_checksum_portable(0, bytes, count))
            #expect(whole == ndx_checksum(ndx_checksum(0, bytes, count / 3), Array(bytes[(count / 3)...]), count - count / 3))
        }
    }
}
