import Crypto
import Images
import TestSupport
import Testing

/// SHA-256 in hexadecimal.
func digest(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

/// The framing of nearly every ImageNet network.
let torchvision = Framing(resize: .shorterSide(256), crop: Size(width: 224, height: 224))
