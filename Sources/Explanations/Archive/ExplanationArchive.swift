public import ActivationStore
public import Foundation
public import Images
public import Indexing
import NeuralNetwork
import Search
import Support

/// A store's explanations: what it keeps is given at once, without loading the network; all else is made, and kept.
///
/// Kept results are looked up by the network's hash, the preprocessing's, the image's, the target, the method with its options, and
/// the program's version: what any of these changes is made anew.
public final class ExplanationArchive {
    public let store: Store
    public let preprocessing: Preprocessing
    /// Why something could not be kept; nil if nothing failed to be.
    public private(set) var refusal: StoreError?

    /// Where the store's images are.
    public let files: ImageFiles
    private let keeps: Bool
    private let reads: Bool
    let toolVersion: String
    private let network: SharedExplainer
    private var rankings: [Data: ClassRanking] = [:]
    private static let heldRankings = 16
    /// Why the network cannot say what it answers; nil if nothing has failed.
    public private(set) var silence: (any Error)?

    /// - Parameters:
    ///   - model: where the network is now; nil for where it was when the store was made.
    ///   - images: where images that have moved are now; nil for where they were.
    ///   - jobs: workers; nil for one a core.
    ///   - keeps: whether the store is given new results.
    ///   - reads: whether it is asked for those it keeps; nil for the same.
    /// - Throws: `DatasetError.missing` for a folder of images that is not there; `StoreError`.
    public convenience init(
        store: Store, model: String? = nil, images: String? = nil, jobs: Int? = nil, keeps: Bool = true, reads: Bool? = nil,
        toolVersion: String
    ) throws {
        try self.init(
            sharing: SharedExplainer(store: store, model: model, jobs: jobs), images: images, keeps: keeps, reads: reads,
            toolVersion: toolVersion)
    }

    /// One of several of a store, for a thread each, that share one network.
    /// - Throws: as the other.
    public init(
        sharing network: SharedExplainer, images: String? = nil, keeps: Bool = true, reads: Bool? = nil, toolVersion: String
    ) throws {
        store = network.store
        files = try ImageFiles(store, folder: images)
        self.network = network
        self.keeps = keeps
        self.reads = reads ?? keeps
        self.toolVersion = toolVersion
        preprocessing = try store.preprocessing()
    }

    /// The network, loaded when it is first needed.
    /// - Throws: as `Explainer`.
    public func explainer() throws -> Explainer { try network.explainer() }

    /// Why something could not be kept since this was asked last.
    package func takeRefusal() -> StoreError? {
        defer { refusal = nil }
        return refusal
    }

    /// The image of the store, or any file, as the network sees it.
    public func subject(_ name: String) throws -> InputImage {
        try InputImage(name, store: store, preprocessing: preprocessing, files: files)
    }

    /// The same of a file that the store may know by another path.
    public func subject(_ name: String, orFile file: String) throws -> InputImage {
        try subject((try? store.image(named: name)) == nil ? file : name)
    }

    /// Refuses to begin where files are not found.
    /// - Parameter names: of images; those that are not the store's are passed over.
    /// - Throws: `DatasetError.imagesMissing`.
    public func requireFiles(of names: [String]) throws {
        // One alone is named when it is read.
        guard names.count > 1 else { return }
        let missing = names.compactMap { try? store.image(named: $0) }.filter { files.file(of: $0) == nil }
        guard missing.isEmpty else { throw DatasetError.imagesMissing(paths: missing.map(\.path), of: names.count) }
    }

    /// The score of the class that the network answers; the store knows it for its own images.
    public func answer(on subject: InputImage) throws -> Target {
        let scores = store.description.layers.last { $0.isLogits }
        // Of scores at each place the store knows whose maximum is the largest, and not which class has most places.
        if scores.map({ $0.height * $0.width == 1 }) ?? true, let index = subject.stored?.predictedClass,
            let target = Target(classIndex: index, in: store.description)
        {
            return target
        }
        return try explainer().answer(on: subject)
    }

    /// What is explained where nothing is named: the answer, and of a network without classes any neuron, where maps are the same of all.
    public func usualTarget(of method: some ExplanationMethod, on subject: InputImage) throws -> Target {
        do {
            return try answer(on: subject)
        } catch ExplanationError.noScores where !method.dependsOnTarget {
            guard let layer = store.description.layers.last else { throw ExplanationError.noScores }
            return try Target("\(layer.name):0", in: store.description)
        }
    }

    /// What the network answers on an image; nil of a network without classes, and where ``silence`` says why it cannot be asked.
    public func classRanking(of subject: InputImage) -> ClassRanking? {
        if let known = rankings[subject.digest] { return known }
        guard silence == nil else { return nil }
        do {
            let standing = try explainer().classRanking(of: subject)
            // Asked for again within a row of a figure, and not later.
            if rankings.count >= Self.heldRankings { rankings.removeAll() }
            rankings[subject.digest] = standing
            return standing
        } catch {
            silence = error
            return nil
        }
    }

    /// The explanation of a target on an image.
    /// - Parameter isChecked: whether the map is checked too; what was checked stays so.
    /// - Throws: `ExplanationError`, `NetworkError`. That a result cannot be kept is no error, but told by `refusal`.
    public func explanation(
        of subject: InputImage, target: Target, by method: some ExplanationMethod, isChecked: Bool = false
    ) throws -> Explanation {
        let key = key(type(of: method).name, method.arguments, target: target.key, image: subject.digest)
        var explanation =
            try kept(key).map { kept(as: $0, of: subject, target: target, by: method) }
            ?? made(of: subject, target: target, by: method)
        // Before it is checked, which takes longer, and may be stopped.
        if !explanation.wasKept { try keep(explanation, by: method, under: key, subject) }
        if isChecked, explanation.checks == nil {
            explanation.checks = try MapChecks(
                of: method, map: explanation.map, subject: subject, target: withReference(target), by: explainer())
            try keep(explanation, by: method, under: key, subject)
        }
        return explanation
    }

    /// The same where the store keeps it; nil where it would have to be made.
    public func keptExplanation(
        of subject: InputImage, target: Target, by method: some ExplanationMethod, isChecked: Bool = false
    ) throws -> Explanation? {
        let key = key(type(of: method).name, method.arguments, target: target.key, image: subject.digest)
        let explanation = try kept(key).map { kept(as: $0, of: subject, target: target, by: method) }
        return isChecked && explanation?.checks == nil ? nil : explanation
    }

    private func kept(
        as record: ExplanationRecord, of subject: InputImage, target: Target, by method: some ExplanationMethod
    ) -> Explanation {
        let map = ExplanationMap(record)
        let checks = record.checks.flatMap { try? JSONDecoder().decode(MapChecks.self, from: Data($0.utf8)) }
        return Explanation(
            method: record.method, arguments: method.arguments, target: target, image: subject.name, imageSHA256: subject.digest,
            value: Float(record.value ?? .nan), map: map, boxes: method.boxes(of: map, on: subject),
            seconds: record.seconds, wasKept: true,
            // Those of another rule are made anew when they are asked for.
            checks: checks?.rule == MapChecks.currentRule ? checks : nil)
    }

    private func made(of subject: InputImage, target: Target, by method: some ExplanationMethod) throws -> Explanation {
        let explainer = try explainer()
        let clock = ContinuousClock.now
        let served = try explainer.served(withReference(target), on: subject)
        var map = try method.pictureMap(of: subject, target: served.target, by: served.explainer)
        if let remark = served.remark { map.note = [remark, map.note].compactMap { $0 }.joined(separator: "; ") }
        return Explanation(
            method: type(of: method).name, arguments: method.arguments, target: target, image: subject.name,
            imageSHA256: subject.digest, value: try served.explainer.value(of: served.target, on: subject), map: map,
            boxes: method.boxes(of: map, on: subject), seconds: (ContinuousClock.now - clock).seconds, wasKept: false)
    }

    /// A likeness with the numbers of the image that it is to.
    private func withReference(_ target: Target) throws -> Target {
        guard let image = target.reference, let layer = store.description.layers.first(where: { $0.name == target.layer }) else {
            return target
        }
        var result = target
        result.reduction = .closeness(to: try store.maxima(of: image, in: layer))
        return result
    }

    private func keep(
        _ explanation: Explanation, by method: some ExplanationMethod, under key: Data, _ subject: InputImage
    ) throws {
        // What cannot be drawn is no result to come back to.
        guard keeps, explanation.map.values.allSatisfy(\.isFinite) else { return }
        let drawing = try method.drawing(of: explanation, over: subject, in: self)
        let provenance = Provenance(
            command: explanation.method, options: drawing.options + Spelling.flag("--check", explanation.checks != nil),
            operands: drawing.operands,
            model: store.description.model.sha256, of: [explanation], toolVersion: toolVersion)
        let map = explanation.map
        try keep(
            ExplanationRecord(
                key: key, method: explanation.method, arguments: explanation.arguments, target: explanation.target.text,
                image: explanation.image, imageSHA256: explanation.imageSHA256, value: Double(explanation.value),
                note: map.note, channels: map.channels, height: map.height, width: map.width, isSigned: map.isSigned,
                map: map.values, picture: Data(try drawing.page.rendered().pngData(text: provenance.text)),
                checks: try explanation.checks.map(Self.json),
                seconds: explanation.seconds, toolVersion: toolVersion))
    }

    /// In an order of keys that is always the same.
    private static func json(_ checks: MapChecks) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(checks), as: UTF8.self)
    }

    // MARK: Any kind of result

    /// What a result is kept under.
    /// - Parameters:
    ///   - target: told apart from all other targets by it.
    ///   - image: the SHA-256 of the image that it depends on.
    public func key(_ method: String, _ arguments: [String], target: String, image: Data?) -> Data {
        let description = store.description
        return ExplanationKey.digest(
            [
                toolVersion, description.model.sha256, description.preprocessingHash, image?.hexadecimal ?? "", target, method,
            ] + arguments)
    }

    /// What is kept under a key; nil where results are not asked for.
    public func kept(_ key: Data) throws -> ExplanationRecord? { reads ? try store.explanation(key: key) : nil }

    /// Keeps a result, if results are to be kept and the store lets it.
    public func keep(_ record: ExplanationRecord) throws {
        guard keeps else { return }
        do {
            try store.keep(record)
        } catch let error as StoreError {
            // The result is there; that the store is being written, or lies where nobody may write, takes nothing from it.
            refusal = error
        }
    }
}

extension Target {
    /// Equal for equal targets only; `text` is not where two classes have one name.
    var key: String {
        terms.map { term in
            let weight = term.weight == 1 ? "" : "\(term.weight)*"
            return "\(weight)\(layer):\(term.channel)\(Self.suffix(of: term.reduction))"
        }.joined(separator: " + ")
    }

    private static func suffix(of reduction: Reduction) -> String {
        switch reduction {
        case .maximum: ""
        case .mean: "@mean"
        case .sum: "@sum"
        case .position(let y, let x): "@\(y),\(x)"
        case .box(let left, let top, let right, let bottom): "@box \(left),\(top),\(right),\(bottom)"
        case .region: "@argmax"
        // The same region under another name is the same target.
        case .mask(_, let digest): "@mask \(digest)"
        case .similarity(let image): "@similar:\(image)"
        case .closeness(let reference): "@close:\(reference)"
        case .places(let places): "@places \(places)"
        case .element(_, let index, nil): "@\(index)"
        case .element(_, let index, let over?):
            "@\(index)@\(over)" + (over.hasPrefix("mask ") ? (try? RegionMask(String(over.dropFirst(5))).digest) ?? "" : "")
        case .detection(let box): "@\(box.text)"
        }
    }
}
