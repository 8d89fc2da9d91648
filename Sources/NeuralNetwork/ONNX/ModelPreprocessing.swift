import Foundation
public import Images

/// The preprocessing that an ONNX file brings along in its metadata, and who wrote it there.
///
/// Read are, in this order: `neurodex.preprocessing` (a ``Preprocessing`` as JSON, which the Python package's `export` writes); a configuration of
/// timm (`pretrained_cfg`, or `mean` and `std` on their own); one of transformers' image processors (`preprocessor_config`, or its `image_mean`
/// and `image_std` on their own); and what ultralytics writes (`task`, `imgsz`).
public struct ModelPreprocessing: Sendable, Equatable {
    public var recipe: Preprocessing
    /// What it was read from, for people.
    public var source: String

    /// Nil where the metadata say nothing of preprocessing.
    ///
    /// - Parameter metadata: of the file, by key.
    /// - Throws: ``NetworkError/metadata(key:problem:)`` for what is there and cannot be meant.
    init?(_ metadata: [String: String], input: Network.Input) throws {
        // The others speak of pictures alone.
        let isOfPictures = input.channels == 1 || input.channels == 3
        for reading in isOfPictures ? [Self.own, Self.timm, Self.transformers, Self.ultralytics] : [Self.own] {
            guard let found = try reading(metadata, input) else { continue }
            (recipe, source) = found
            return
        }
        return nil
    }

    private typealias Found = (recipe: Preprocessing, source: String)

    private static func own(_ metadata: [String: String], _ input: Network.Input) throws -> Found? {
        let key = "neurodex.preprocessing"
        guard let text = metadata[key] else { return nil }
        do {
            let recipe = try Preprocessing(json: text)
            let crop = (recipe.crop.height, recipe.crop.width)
            guard crop == (input.height, input.width), recipe.channelCount == input.channels else {
                throw NetworkError.metadata(
                    key: key,
                    problem:
                        "it makes pictures of \(recipe.channelCount)×\(crop.0)×\(crop.1), and the network takes \(input.channels)×\(input.height)×\(input.width)"
                )
            }
            return (recipe, "the file's own \(key)")
        } catch let error as DecodingError {
            throw NetworkError.metadata(key: key, problem: Self.problem(error))
        }
    }

    private static func timm(_ metadata: [String: String], _ input: Network.Input) throws -> Found? {
        struct Configuration: Decodable {
            var mean: [Double]
            var std: [Double]
            var interpolation: String?
            var cropPct: Double?
            var cropMode: String?
        }
        let keys = ["pretrained_cfg", "timm.pretrained_cfg", "timm"]
        guard let (key, given) = try decoded(Configuration.self, keys, metadata, orAlone: ["mean", "std"]) else { return nil }
        let share = given.cropPct ?? 0.875
        guard (0.01...1).contains(share) else { throw NetworkError.metadata(key: key, problem: "crop_pct is \(share)") }
        var recipe = try named(key, input, given.mean, given.std, filter: given.interpolation ?? "bicubic")
        func before(_ side: Int) -> Int { Int((Double(side) / share).rounded(.down)) }
        recipe.resize =
            given.cropMode == "squash"
            ? .exact(width: before(input.width), height: before(input.height))
            : .shorterSide(before(min(input.width, input.height)))
        return (recipe, "timm's configuration in the file")
    }

    private struct Side: Decodable {
        var shortestEdge: Int?
        var height: Int?
        var width: Int?

        init(from decoder: any Decoder) throws {
            if let number = try? decoder.singleValueContainer().decode(Int.self) {
                shortestEdge = number
                return
            }
            let values = try decoder.container(keyedBy: Key.self)
            shortestEdge = try values.decodeIfPresent(Int.self, forKey: .shortestEdge)
            height = try values.decodeIfPresent(Int.self, forKey: .height)
            width = try values.decodeIfPresent(Int.self, forKey: .width)
        }

        enum Key: String, CodingKey { case shortestEdge, height, width }
    }

    /// The numbers of an image processor that say how pictures are prepared.
    private struct Processor: Decodable {
        var imageMean: [Double]
        var imageStd: [Double]
        var size: Side?
        var resample: Int?
        var rescaleFactor: Double?
        var doResize: Bool?
    }

    private static func transformers(_ metadata: [String: String], _ input: Network.Input) throws -> Found? {
        let keys = ["preprocessor_config", "preprocessor_config.json", "transformers.preprocessor_config"]
        guard let (key, given) = try decoded(Processor.self, keys, metadata, orAlone: ["image_mean", "image_std"]) else {
            return nil
        }
        // Pillow's numbers of its filters.
        let filters = ["nearest", "lanczos", "bilinear", "bicubic", "box"]
        let number = given.resample ?? 2
        guard filters.indices.contains(number) else { throw NetworkError.metadata(key: key, problem: "resample is \(number)") }
        var recipe = try named(key, input, given.imageMean, given.imageStd, filter: filters[number])
        if let factor = given.rescaleFactor, factor > 0 { recipe.divisor = (1 / factor * 1e6).rounded() / 1e6 }
        if given.doResize == false {
            recipe.resize = .none
        } else if let edge = given.size?.shortestEdge {
            recipe.resize = .shorterSide(edge)
        } else if let height = given.size?.height, let width = given.size?.width {
            recipe.resize = .exact(width: width, height: height)
        }
        return (recipe, "transformers' image processor in the file")
    }

    /// Ultralytics' classifiers resize the shorter side to the input's, crop the centre and take values 0 to 1. All its other networks see
    /// the whole picture in a letterbox.
    private static func ultralytics(_ metadata: [String: String], _ input: Network.Input) throws -> Found? {
        guard let task = metadata["task"], metadata["imgsz"] != nil else { return nil }
        let size = Size(width: input.width, height: input.height)
        let source = "ultralytics' task and imgsz in the file"
        if ["detect", "segment", "pose", "obb", "semantic"].contains(task) {
            return (Preprocessing(.letterbox, input: size, channelCount: input.channels), source)
        }
        guard task == "classify" else { return nil }
        var recipe = Preprocessing(.plain, input: size, channelCount: input.channels)
        recipe.resize = .shorterSide(min(input.width, input.height))
        return (recipe, source)
    }

    /// What the first of `keys` that is there holds, or what keys of their own say, each a JSON value.
    private static func decoded<Value: Decodable>(
        _: Value.Type, _ keys: [String], _ metadata: [String: String], orAlone alone: [String]
    ) throws -> (key: String, value: Value)? {
        var found = keys.lazy.compactMap { key in metadata[key].map { (key, $0) } }.first
        if found == nil, alone.allSatisfy({ metadata[$0] != nil }) {
            let fields = alone.compactMap { key in metadata[key].map { "\"\(key)\": \($0)" } }
            found = (alone[0], "{\(fields.joined(separator: ", "))}")
        }
        guard let (key, text) = found else { return nil }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return (key, try decoder.decode(Value.self, from: Data(text.utf8)))
        } catch let error as DecodingError {
            throw NetworkError.metadata(key: key, problem: problem(error))
        }
    }

    private static func named(
        _ key: String, _ input: Network.Input, _ mean: [Double], _ deviation: [Double], filter: String
    ) throws -> Preprocessing {
        guard let interpolation = Interpolation(rawValue: filter) else {
            throw NetworkError.metadata(key: key, problem: "pictures are resized by '\(filter)', which neurodex has not")
        }
        guard mean.count == input.channels, deviation.count == input.channels, !deviation.contains(0) else {
            throw NetworkError.metadata(
                key: key,
                problem:
                    "it has \(mean.count) means and \(deviation.count) deviations for \(input.channels) channels, or one that is 0"
            )
        }
        let size = Size(width: input.width, height: input.height)
        var recipe = Preprocessing(.torchvision, input: size, channelCount: input.channels)
        (recipe.mean, recipe.deviation, recipe.interpolation) = (mean, deviation, interpolation)
        return recipe
    }

    private static func problem(_ error: DecodingError) -> String {
        switch error {
        case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context): context.debugDescription
        case .keyNotFound(let key, _): "it has no \(key.stringValue)"
        @unknown default: "\(error)"
        }
    }
}
