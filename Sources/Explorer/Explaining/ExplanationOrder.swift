import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Pages
import Search
import Support

/// One explanation that an address asks for.
struct ExplanationOrder: Hashable, Sendable {
    var image: PageImage
    /// The method's name, and its options with the defaults spelt out.
    var method: [String]
    /// Nil for the class that the network answers.
    var target: String?
    var isChecked: Bool

    /// Equal for equal maps.
    var key: String { "\(image.text)\0\(method.joined(separator: "\0"))\0\(target ?? "")\0\(isChecked)" }

    /// What an address asks for, one thing less of it.
    var fields: [Address.Field] {
        [Address.Field("image", image.text), Address.Field("method", ExplanationWishes.words(method))]
            + (target.map { [Address.Field("target", $0)] } ?? []) + (isChecked ? [Address.Field("check", "")] : [])
    }
}

/// An image that a page is about.
enum PageImage: Hashable, Sendable {
    /// Of the store, by its id.
    case stored(Int)
    /// One that was dropped on a page, by its hash.
    case dropped(String)

    /// As addresses have it.
    var text: String {
        switch self {
        case .stored(let id): "\(id)"
        case .dropped(let hash): "dropped:\(hash)"
        }
    }
}

/// All explanations that an address asks for: each image by each method of each target.
struct ExplanationWishes: Sendable {
    var orders: [ExplanationOrder]
    /// As the address names them.
    var images: [String]
    var methods: [[String]]
    var targets: [String]
    var isChecked: Bool
    /// Whether maps of one method have one scale.
    var sharesScale: Bool

    /// Of one page.
    static let most = 36

    private static let names = ["image", "method", "target", "layer", "options", "check", "scale", "size"]

    /// - Throws: ``Refusal``, `StoreError`, `ExplanationError`.
    init(_ fields: [Address.Field], in store: Store, dropped: (String) -> Bool) throws {
        if let field = fields.first(where: { !Self.names.contains($0.name) }) {
            throw Refusal(
                sentence: "explanations takes image, method, target, layer, options, check and scale, not '\(field.name)'"
                    + Suggestion.clause(Suggestion.nearest(to: field.name, among: Self.names, limit: 1)))
        }
        func values(_ name: String) -> [String] { fields.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }
        images = values("image")
        guard !images.isEmpty else { throw Refusal(sentence: "name images to explain: image=3, a path or an id of the store") }
        let layer = values("layer").last
        let words = values("method").isEmpty ? [Saliency.name] : values("method")
        methods = try words.map { try Self.method($0, layer: layer, options: values("options").joined(separator: " ")) }
        if layer != nil, !methods.contains(where: { $0.first == ClassActivationMap.name }) {
            throw Refusal(
                sentence:
                    "layer is of \(ClassActivationMap.name) alone; to explain a neuron of a layer, name it as the target: LAYER:CHANNEL"
            )
        }
        try values("target").forEach(Self.refuseFiles)
        targets = try values("target").map { try Target(sumOf: $0, in: store.description).text }
        isChecked = fields.contains { $0.name == "check" }
        let scale = values("scale").last ?? "shared"
        guard ["shared", "own"].contains(scale) else { throw Refusal(sentence: "scale is shared or own, not '\(scale)'") }
        sharesScale = scale == "shared"
        let found = try images.map { try Self.image($0, in: store, dropped: dropped) }
        let wanted: [String?] = targets.isEmpty ? [nil] : targets
        let count = found.count.saturated(times: methods.count.saturated(times: wanted.count))
        guard count <= Self.most else {
            throw Refusal(
                sentence:
                    "these are \(count) explanations, and a page has at most \(Self.most): name fewer images, methods or targets")
        }
        let (methods, isChecked) = (methods, isChecked)
        orders = found.flatMap { image in
            methods.flatMap { method in
                wanted.map { ExplanationOrder(image: image, method: method, target: $0, isChecked: isChecked) }
            }
        }
    }

    /// - Throws: ``Refusal`` for a target that names a file of this machine.
    static func refuseFiles(_ target: String) throws {
        guard Target.namesFile(target) else { return }
        throw Refusal(
            sentence:
                "a mask is a file, and pages open none that an address names; the command line takes '\(target)', and here @box x0,y0,x1,y1"
        )
    }

    private static func image(_ name: String, in store: Store, dropped: (String) -> Bool) throws -> PageImage {
        if name.hasPrefix("dropped:") {
            let hash = String(name.dropFirst(8))
            guard dropped(hash) else {
                throw Refusal(sentence: "this picture is no longer here: drop it on the page again", status: .notFound)
            }
            return .dropped(hash)
        }
        return .stored(try store.image(named: name).id)
    }

    // MARK: Methods

    /// A method's name and options, parsed by the method: `saliency --method guided`.
    /// - Throws: ``Refusal`` in the words of the command line.
    static func method(_ text: String, layer: String? = nil, options: String = "") throws -> [String] {
        let words = (text + " " + options).split(separator: " ").map(String.init)
        guard let name = words.first, let method = explanationMethods.first(where: { $0.name == name }) else {
            let names = explanationMethods.map { $0.name }
            throw Refusal(
                sentence: "method is one of \(names.joined(separator: ", ")), with its options behind it, not '\(text)'"
                    + Suggestion.clause(Suggestion.nearest(to: words.first ?? "", among: names, limit: 1)))
        }
        let own = name == ClassActivationMap.name ? Spelling.option("--layer", layer) : []
        return [name] + (try parsed(method, Array(words.dropFirst()) + own)).arguments
    }

    /// The method of a name and its options.
    static func method(_ words: [String]) throws -> any ExplanationMethod {
        guard let name = words.first, let method = explanationMethods.first(where: { $0.name == name }) else {
            throw Refusal(sentence: "there is no method '\(words.first ?? "")'")
        }
        return try parsed(method, Array(words.dropFirst()))
    }

    private static func parsed<Method: ExplanationMethod>(_: Method.Type, _ arguments: [String]) throws -> Method {
        do {
            return try Method.parse(arguments)
        } catch {
            throw Refusal(sentence: Method.message(for: error), isHelp: Method.exitCode(for: error) == .success)
        }
    }

    /// Without what is its default.
    static func words(_ method: [String]) -> String {
        let plain = (try? Self.method(method[0])) ?? [method[0]]
        guard method != plain else { return method[0] }
        var (words, rest) = ([method[0]], method.dropFirst())
        while let word = rest.popFirst() {
            let value = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
            if value != nil { rest.removeFirst() }
            // An option whose value is that of the plain method says nothing.
            let place = plain.firstIndex(of: word)
            if let value, let place, plain.indices.contains(place + 1), plain[place + 1] == value { continue }
            words += [word] + (value.map { [$0] } ?? [])
        }
        return words.joined(separator: " ")
    }
}
