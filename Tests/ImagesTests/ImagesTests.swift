import Images
import Support
import TestSupport
import Testing

/// SHA-256 in hexadecimal.
func digest(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).hexadecimal
}

/// The framing of nearly every ImageNet network.
let torchvision = Framing(resize: .shorterSide(256), crop: Size(width: 224, height: 224))
