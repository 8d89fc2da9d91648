public import Foundation
import SystemCrypto

/// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
public struct SHA256: ~Copyable {
    private var state = SHA256_CTX()

    public init() { SHA256_Init(&state) }

    public mutating func update(data: some DataProtocol) {
        for region in data.regions {
            region.withUnsafeBytes { _ = SHA256_Update(&state, $0.baseAddress, $0.count) }
        }
    }

    /// 32 bytes. Nothing may be added afterwards.
    public mutating func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256_Final(&digest, &state)
        return digest
    }

    /// The digest of bytes that are all there: 32 bytes.
    public static func hash(data: some DataProtocol) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: data)
        return hash.finalize()
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    public var hexadecimal: String {
        map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
