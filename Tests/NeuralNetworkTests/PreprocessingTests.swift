import Images
import NeuralNetwork
import TestSupport
import Testing

@Suite struct PreprocessingTests {
    static let explanations = "reference/squeezenet1.1-explanations"
    private let imagenet = Preprocessing(.torchvision, input: Size(width: 224, height: 224))

    @Test(.enabled(if: Shared.has(explanations), "needs \(explanations) of the shared test data"))
    func tensorsAreTorchvisionsBitForBit() throws {
        for name in try Shared.names(in: Self.explanations) {
            let photo = Shared.path("real/photos/imagenet-sample/\(name).JPEG")
            let framed = try ImageReader().read(contentsOf: photo, framing: imagenet.framing)
            let expected = try NPYArray(contentsOf: Shared.path("\(Self.explanations)/\(name)/input.npy"))
            let resized = try NPYArray(contentsOf: Shared.path("\(Self.explanations)/\(name)/resized.npy"))
            #expect(framed.image.pixels.map(Int.init) == resized.ints)
            let tensor = imagenet.tensor(from: framed.image)
            let planes = expected.floats
            let differing = planes.indices.filter { i in
                let (channel, pixel) = (i / 50176, i % 50176)
                return tensor[pixel * 3 + channel].bitPattern != planes[i].bitPattern
            }
            #expect(planes.count == 150528 && differing.isEmpty, "\(name)")
        }
    }

    @Test func presets() {
        #expect(imagenet.resize == .shorterSide(256))
        #expect(Preprocessing(.torchvision, input: Size(width: 299, height: 299)).resize == .shorterSide(342))
        #expect(Preprocessing(.torchvision, input: Size(width: 32, height: 32)).resize == .shorterSide(37))
        let image = Image(width: 1, height: 1, fill: Color(10, 20, 30))
        let one = Size(width: 1, height: 1)
        let caffe: [Float] = [-74, -97, -113]
        let plain: [Float] = [10, 20, 30].map { (value: Float) in value / 255 }
        let grey: [Float] = [Float(18) / 255]
        #expect(Preprocessing(.caffe, input: one).tensor(from: image) == caffe)
        #expect(Preprocessing(.plain, input: one).tensor(from: image) == plain)
        #expect(Preprocessing(.plain, input: one, channelCount: 1).tensor(from: image) == grey)
    }

    @Test func textComesBackAndTheHashFollowsEveryField() throws {
        let text = try imagenet.canonicalJSON()
        #expect(
            text == #"{"channels":"rgb","crop":"224x224","deviation":[0.229,0.224,0.225],"divisor":255,"#
                + #""interpolation":"bilinear","mean":[0.485,0.456,0.406],"pillow":13,"resize":"256"}"#)
        #expect(try Preprocessing(json: text) == imagenet)
        var changed = imagenet
        changed.interpolation = .bicubic
        #expect(try changed.hash() != imagenet.hash())
        #expect(try imagenet.hash().count == 64)
        #expect(throws: DecodingError.self) { try Preprocessing(json: text.replacing(#""256""#, with: #""huge""#)) }
        #expect(throws: DecodingError.self) { try Preprocessing(json: text.replacing("0.229,", with: "")) }
        #expect(throws: DecodingError.self) { try Preprocessing(json: text.replacing(":13,", with: ":14,")) }
    }

    /// Height × width; in the texts of stores from before Pillow 13 was followed, width × height, and these stay what they are.
    @Test func sizesInTexts() throws {
        let recipe = Preprocessing(.plain, input: Size(width: 20, height: 12))
        #expect(try recipe.canonicalJSON().contains(#""crop":"12x20""#) && recipe.canonicalJSON().contains(#""resize":"12x20""#))
        let text =
            #"{"channels":"rgb","crop":"20x12","deviation":[1,1,1],"divisor":255,"interpolation":"bilinear","mean":[0,0,0],"#
            + #""resize":"20x12"}"#
        var old = try Preprocessing(json: text)
        #expect(old.passOrder == .horizontalFirst && old.framing.passOrder == .horizontalFirst)
        #expect(try old.canonicalJSON() == text)
        #expect(try old.shownJSON() == text.replacing("20x12", with: "12x20"))
        old.passOrder = .adaptive
        #expect(old == recipe)
    }
}
