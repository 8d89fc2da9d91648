import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support
import Synchronization

/// An explanation that was made or kept, ready to be drawn.
struct MadeExplanation: Sendable {
    var subject: InputImage
    var explanation: Explanation
    var look: MapLook
    /// The method with its parameters.
    var caption: String
    /// What has to be said beside it.
    var notes: [String]
    /// Why it could not be kept; nil where it was, or was not to be.
    var refusal: String?
}

/// Makes explanations for all pages by one network that is loaded once, and keeps them as the command does.
final class ExplanationDesk: Sendable {
    let store: Store
    let queue = WorkQueue()
    let uploads = UploadShelf()
    let ascents = ResultShelf<AscentOutcome>(most: 16)
    let looks = ResultShelf<DroppedLook>(most: 64)
    private let shared: SharedExplainer
    private let folder: String?
    private let keeps: Bool
    private let version: String
    private let preprocessing: Preprocessing
    /// Not in use: what knows where files are is for one thread at a time.
    private let archives = Mutex<[UncheckedArchive]>([])
    private let shelf = ResultShelf<Made>(most: 64)
    /// What was made, or why it could not be a moment ago.
    private struct Made: Sendable {
        var result: Result<MadeExplanation, ExplanationError>
        var time = ContinuousClock.now
        var isOld: Bool { if case .failure = result { (ContinuousClock.now - time).seconds > 30 } else { false } }
    }
    private let model: String?
    /// For pictures that the store does not have.
    private let maxima = Mutex<StoreNetwork?>(nil)

    private struct UncheckedArchive: @unchecked Sendable { let archive: ExplanationArchive }

    /// - Parameters:
    ///   - keeps: whether the store is given what is made.
    init(_ store: Store, model: String?, images: String?, keeps: Bool, version: String) throws {
        (self.store, folder, self.model, self.keeps, self.version) = (store, images, model, keeps, version)
        shared = SharedExplainer(store: store, model: model)
        preprocessing = try store.preprocessing()
    }

    /// What is asked for, made if it is not there.
    /// - Throws: ``WorkQueue/Full``, ``WorkQueue/Abandoned``, and what making it throws.
    func made(_ order: ExplanationOrder, for connection: Connection) throws -> MadeExplanation {
        if let ready = try ready(order) { return ready }
        let value = try queue.value(order.key, for: connection, make: making(order))
        guard let made = value as? MadeExplanation else { preconditionFailure("an explanation of another type") }
        return made
    }

    /// For the queue.
    func making(_ order: ExplanationOrder) -> WorkQueue.Make {
        { tell in
            do {
                let made = try self.make(order, tell)
                self.shelf.put(Made(result: .success(made)), order.key)
                return made
            } catch let error as ExplanationError {
                self.shelf.put(Made(result: .failure(error)), order.key)
                throw error
            }
        }
    }

    /// What is asked for, if it is here or in the store.
    /// - Throws: why it could not be made a moment ago.
    func ready(_ order: ExplanationOrder) throws -> MadeExplanation? {
        var isStored = false
        if case .stored = order.image { isStored = true }
        // Another last layer may have been fitted meanwhile, which the store knows.
        let mayBeOld = isStored && keeps && order.method.first == ClassActivationMap.name
        if !mayBeOld, let known = shelf[order.key], !known.isOld { return try known.result.get() }
        guard isStored else { return nil }
        return try using { archive in
            guard let subject = try? self.subject(of: order, archive) else { return nil }
            let method = try ExplanationWishes.method(order.method)
            return try kept(order, subject, method, archive)
        }
    }

    private func kept(
        _ order: ExplanationOrder, _ subject: InputImage, _ method: some ExplanationMethod, _ archive: ExplanationArchive
    ) throws -> MadeExplanation? {
        guard let target = try target(of: order, subject, archive, mayRun: false),
            !(method is Deconvolution) || target.place != nil,
            let explanation = try archive.keptExplanation(of: subject, target: target, by: method, isChecked: order.isChecked)
        else { return nil }
        return made(explanation, subject, method, nil)
    }

    private func make(
        _ order: ExplanationOrder, _ tell: @escaping (ExplanationProgress) throws -> Void
    ) throws -> MadeExplanation {
        if order.method.first == ClassActivationMap.name { try shared.takeFittedLayer() }
        return try using(order.image) { archive in
            try ExplanationProgress.observed(by: tell) {
                let subject = try subject(of: order, archive)
                let method = try ExplanationWishes.method(order.method)
                return try make(order, subject, method, archive)
            }
        }
    }

    private func make(
        _ order: ExplanationOrder, _ subject: InputImage, _ method: some ExplanationMethod, _ archive: ExplanationArchive
    ) throws -> MadeExplanation {
        guard var target = try target(of: order, subject, archive, mayRun: true) else { throw ExplanationError.noScores }
        if method is Deconvolution, !target.isOneNeuron {
            throw ExplanationError.parameter(
                name: "deconv", value: target.text, expected: "one neuron, which it projects back, such as \(target.neuron)")
        }
        if method is Deconvolution, target.reduction == .maximum {
            let place = try archive.explainer().place(of: target, on: subject)
            target = try Target("\(target.neuron)@\(place.y),\(place.x)", in: store.description)
        }
        let explanation = try archive.explanation(of: subject, target: target, by: method, isChecked: order.isChecked)
        return made(explanation, subject, method, archive.takeRefusal())
    }

    private func made(
        _ explanation: Explanation, _ subject: InputImage, _ method: some ExplanationMethod, _ refusal: StoreError?
    ) -> MadeExplanation {
        let map = explanation.map
        let notes = [map.note, map.emptiness, method.reasonForNoBox(of: map, in: preprocessing.crop)].compactMap { $0 }
        return MadeExplanation(
            subject: subject, explanation: explanation, look: method.look(of: map, target: explanation.target),
            caption: method.caption, notes: notes, refusal: refusal.map { "\($0)" })
    }

    private func target(
        of order: ExplanationOrder, _ subject: InputImage, _ archive: ExplanationArchive, mayRun: Bool
    ) throws -> Target? {
        if let target = order.target { return try Target(sumOf: target, in: store.description) }
        guard mayRun || subject.stored?.predictedClass != nil else { return nil }
        return try archive.answer(on: subject)
    }

    private func subject(of order: ExplanationOrder, _ archive: ExplanationArchive) throws -> InputImage {
        try subject(order.image, archive)
    }

    private func subject(_ image: PageImage, _ archive: ExplanationArchive) throws -> InputImage {
        switch image {
        case .stored(let id):
            guard let image = try store.image(id: id) else { throw StoreError.unknownImage(name: "\(id)", suggestions: []) }
            return try archive.subject(image.path)
        case .dropped(let hash):
            let picture = try uploads.picture(hash)
            return try InputImage(picture.name, bytes: picture.bytes, preprocessing: preprocessing)
        }
    }

    /// An image as the network sees it.
    func subject(_ image: PageImage) throws -> InputImage { try using(image) { try subject(image, $0) } }

    /// What the network computes on any picture.
    func activations(on subject: InputImage) throws -> GivenImage {
        let network = try maxima.withLock { maxima in
            let network = try maxima ?? StoreNetwork(store, model: model)
            maxima = network
            return network
        }
        return try network.activations(on: subject.framed.image, preprocessing)
    }

    /// With an archive that nobody else uses now. What is explained of dropped pictures is not kept.
    func using<Value>(_ image: PageImage? = nil, _ body: (ExplanationArchive) throws -> Value) throws -> Value {
        if case .dropped? = image {
            return try body(ExplanationArchive(sharing: shared, keeps: false, toolVersion: version))
        }
        let free = archives.withLock { $0.popLast()?.archive }
        let archive =
            try free
            ?? ExplanationArchive(sharing: shared, images: folder, keeps: keeps, reads: true, toolVersion: version)
        defer { archives.withLock { $0.append(UncheckedArchive(archive: archive)) } }
        return try body(archive)
    }
}
