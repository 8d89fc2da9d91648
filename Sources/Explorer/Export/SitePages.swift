import ActivationStore
public import Foundation
import Pages
import Search
import Synchronization

/// Pages of a store as files of one folder, for any web server, or to be opened where they are.
public struct SitePages: Sendable {
    /// What was written, and what was left out.
    public struct Summary: Equatable, Sendable {
        public var layers = 0
        public var neurons = 0
        public var images = 0
        public var pictures = 0
        public var bytes = 0
        /// Neurons of the chosen layers beyond the limit, and images that pages show and that have no page.
        public var neuronsLeftOut = 0
        public var imagesLeftOut = 0
        /// Pictures whose file has gone, and that have no thumbnail.
        public var missing = 0
    }

    private let explorer: Explorer
    private let layers: [LayerRecord]
    private let mostNeurons: Int
    private let mostImages: Int

    /// - Parameters:
    ///   - layers: names; empty for all.
    ///   - neurons: that get a page at most, in the order of the layers.
    ///   - images: that get a page at most, of those that the other pages show.
    /// - Throws: ``StoreError/unknownLayer(name:suggestions:)``.
    public init(_ explorer: Explorer, layers: [String], neurons: Int, images: Int) throws {
        let all = explorer.store.description.layers
        let chosen = try Set(layers.map { try NeuronReference($0, in: explorer.store.description).layer.name })
        self.layers = layers.isEmpty ? all : all.filter { chosen.contains($0.name) }
        (self.explorer, mostNeurons, mostImages) = (explorer, neurons, images)
    }

    /// Makes all pages.
    ///
    /// - Parameters:
    ///   - write: takes a file's path in the folder, and its bytes.
    ///   - progress: pages that are made, and that are known to be wanted.
    /// - Throws: what `write` throws, and ``StoreError``.
    public func run(write: (String, Data) throws -> Void, progress: (Int, Int) -> Void = { _, _ in }) throws -> Summary {
        let map = SiteMap(explorer, layers, mostNeurons: mostNeurons, mostImages: mostImages)
        let linking = Linking(link: { map.page(of: $0) }, picture: { map.picture($0) })
        var summary = Summary()
        func put(_ name: String, _ data: Data) throws {
            try write(name, data)
            summary.bytes += data.count
        }
        for (name, data) in explorer.assets.files { try put(name, data) }
        _ = map.page(of: Address())
        var done = 0
        while let (address, name) = map.next() {
            let document = try linking.used { try explorer.siteDocument(address) }
            try put(name, Data(document.text.utf8))
            for picture in map.takePictures() {
                if let response = explorer.anyPicture(picture.address, Connection()) {
                    try put(picture.name, response.body)
                    summary.pictures += 1
                } else {
                    summary.missing += 1
                }
            }
            done += 1
            progress(done, map.count)
        }
        let counts = map.counts
        summary.layers = layers.count
        (summary.neurons, summary.images) = (counts.neurons, counts.images)
        summary.neuronsLeftOut = layers.reduce(0) { $0 + $1.channels } - counts.neurons
        summary.imagesLeftOut = counts.imagesLeftOut
        return summary
    }
}

/// Which address is which file.
private final class SiteMap: Sendable {
    private struct State {
        var names: [Address: String] = [:]
        var queue: [(Address, String)] = []
        var neurons = 0
        var images: Set<Int> = []
        var otherImages: Set<Int> = []
        var pictures: [Address: String] = [:]
        var newPictures: [(address: Address, name: String)] = []
    }

    private let explorer: Explorer
    private let ordinals: [String: Int]
    /// The neurons that get a page, by layer.
    private let channels: [String: Int]
    private let mostImages: Int
    private let state = Mutex(State())

    init(_ explorer: Explorer, _ layers: [LayerRecord], mostNeurons: Int, mostImages: Int) {
        (self.explorer, self.mostImages) = (explorer, mostImages)
        let all = explorer.store.description.layers
        ordinals = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.name, $0) })
        var (channels, left) = ([String: Int](), mostNeurons)
        for layer in layers {
            channels[layer.name] = min(left, layer.channels)
            left -= min(left, layer.channels)
        }
        self.channels = channels
    }

    var count: Int { state.withLock { $0.names.count } }
    var counts: (neurons: Int, images: Int, imagesLeftOut: Int) {
        state.withLock { ($0.neurons, $0.images.count, $0.otherImages.count) }
    }

    func next() -> (Address, String)? {
        state.withLock { state in state.queue.isEmpty ? nil : state.queue.removeFirst() }
    }

    func takePictures() -> [(address: Address, name: String)] {
        state.withLock { state in
            defer { state.newPictures = [] }
            return state.newPictures
        }
    }

    /// The file of a page; nil for one that is not made.
    func page(of address: Address) -> String? {
        let isPlain = address.query.isEmpty
        let page = address.query.count == 1 ? address["page"].flatMap { Int($0) } : nil
        switch address.path.first {
        case nil where isPlain: return add(address, "index.html")
        case "layer" where address.path.count == 2 && (isPlain || page != nil):
            guard let ordinal = ordinals[address.path[1]], channels[address.path[1]] != nil else { return nil }
            return add(address, "layer-\(ordinal)\(page.map { "-\($0)" } ?? "").html")
        case "neuron" where address.path.count == 2 && isPlain: return neuron(address.path[1])
        case "image" where address.path.count == 2 && isPlain: return Int(address.path[1]).flatMap { image($0) }
        default: return nil
        }
    }

    private func neuron(_ name: String) -> String? {
        guard let reference = try? NeuronReference(name, in: explorer.store.description), reference.neurons.count == 1,
            let ordinal = ordinals[reference.layer.name]
        else { return nil }
        let channel = reference.neurons.lowerBound - reference.layer.firstNeuron
        guard channel < channels[reference.layer.name] ?? 0 else { return nil }
        return add(Address("neuron", "\(reference.layer.name):\(channel)"), "neuron-\(ordinal)-\(channel).html") {
            $0.neurons += 1
        }
    }

    private func image(_ id: Int) -> String? {
        let isTaken = state.withLock { state in
            if state.images.contains(id) { return true }
            guard state.images.count < mostImages else {
                state.otherImages.insert(id)
                return false
            }
            return true
        }
        guard isTaken, (try? explorer.store.image(id: id)) ?? nil != nil else { return nil }
        return add(Address("image", "\(id)"), "image-\(id).html") { $0.images.insert(id) }
    }

    private func add(_ address: Address, _ name: String, _ count: (inout State) -> Void = { _ in }) -> String {
        state.withLock { state in
            if let known = state.names[address] { return known }
            state.names[address] = name
            state.queue.append((address, name))
            count(&state)
            return name
        }
    }

    /// The file of a picture.
    func picture(_ address: Address) -> String? {
        state.withLock { state in
            if let known = state.pictures[address] { return known }
            let name = "pictures/\(state.pictures.count).\(explorer.pictureEnding(address))"
            state.pictures[address] = name
            state.newPictures.append((address, name))
            return name
        }
    }
}

extension Explorer {
    fileprivate func siteDocument(_ address: Address) throws -> Document {
        var wanted = Wanted(address)
        wanted.isFile = true
        return try document(page(of: wanted, Connection()), as: .ofSite)
    }
}
