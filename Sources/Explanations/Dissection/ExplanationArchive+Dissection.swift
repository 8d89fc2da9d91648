import ActivationStore
import Foundation
import Images
import Search
import Support

extension ExplanationArchive {
    /// The name that a store keeps dissections under.
    public static let dissectionMethod = "dissect"

    /// What the store keeps of a layer by the same masks of the same images; nil where the network would have to be run.
    public func keptDissection(of layer: String, by masks: ConceptMasks, quantile: Double) throws -> LayerDissection? {
        guard let json = try kept(key(of: layer, masks, quantile))?.record else { return nil }
        return try? Self.decoder.decode(LayerDissection.self, from: Data(json.utf8))
    }

    /// Keeps what was counted: the IoU of all pairs as a map of neurons × concepts, and all numbers as JSON.
    ///
    /// - Parameters:
    ///   - drawing: the options that draw its chart, which is kept too.
    ///   - seconds: that it took.
    public func keep(_ dissection: LayerDissection, by masks: ConceptMasks, drawing: [String], seconds: Double) throws {
        let quantile = dissection.quantile
        let options = Spelling.option("--quantile", "\(quantile)")
        let provenance = Provenance(
            command: Self.dissectionMethod, options: drawing, operands: [store.path, masks.path],
            model: store.description.model.sha256, facts: [("masks", masks.digest.hexadecimal)], toolVersion: toolVersion)
        let picture = try DissectionChart.page(of: [dissection]).rendered().pngData(text: provenance.text)
        try keep(
            ExplanationRecord(
                key: key(of: dissection.layer, masks, quantile), method: Self.dissectionMethod, arguments: options + [masks.path],
                target: dissection.layer, image: nil, imageSHA256: nil, value: nil,
                note: "intersection over union of \(dissection.channels) neurons × \(dissection.concepts.count) concepts",
                channels: 1, height: dissection.channels, width: dissection.concepts.count, isSigned: false,
                map: dissection.pairs.map { Float($0.iou) }, picture: Data(picture),
                record: String(decoding: try Self.encoder.encode(dissection), as: UTF8.self), seconds: seconds,
                toolVersion: toolVersion))
    }

    private func key(of layer: String, _ masks: ConceptMasks, _ quantile: Double) -> Data {
        key(
            Self.dissectionMethod, Spelling.option("--quantile", "\(quantile)"),
            target: "\(layer) by \(masks.digest.hexadecimal)", image: nil)
    }

    private static let names = (infinity: "Infinity", minus: "-Infinity", nan: "NaN")

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: names.infinity, negativeInfinity: names.minus, nan: names.nan)
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: names.infinity, negativeInfinity: names.minus, nan: names.nan)
        return decoder
    }
}
