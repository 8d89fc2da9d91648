public import ActivationStore
import Foundation
import Pages
import Synchronization

/// A store that a server serves.
public struct ServedStore: Sendable {
    /// Of its file, without the ending; told apart from others by a number.
    public var name: String
    public var store: Store
    /// Whether its pages are at the server's root; else they are below `/@NAME`.
    public var isFirst: Bool
    /// Who answers for it, once the server is made.
    let door = Door()

    final class Door: Sendable {
        private struct Behind { weak var explorer: Explorer? }
        private let behind = Mutex(Behind())

        var explorer: Explorer? { behind.withLock { $0.explorer } }
        func open(to explorer: Explorer) { behind.withLock { $0.explorer = explorer } }
    }

    /// Of one of its pages, from pages of any store.
    func address(_ path: [String] = [], query: [Address.Field] = []) -> Address {
        var address = Address(path: (isFirst ? [] : ["@" + name]) + path, query: query)
        address.isOfServer = true
        return address
    }
}

/// Several stores behind one port: the first at the root, each other below a part of the address that begins with @, so that an address
/// says of what store it is.
public struct ServedStores: Sendable {
    public let stores: [ServedStore]
    private let explorers: [Explorer]

    /// - Parameter make: an explorer of a store, which is given the others.
    public init(_ stores: [Store], make: (Store, [ServedStore]) throws -> Explorer) rethrows {
        precondition(!stores.isEmpty, "a server serves a store")
        var taken: Set<String> = []
        let served = stores.enumerated().map { index, store in
            let file = Explorer.fileName(store.path)
            let stem = file.split(separator: ".").first.map { String($0) } ?? "store"
            let numbered = (2...stores.count + 1).map { "\(stem)-\($0)" }
            let name = ([stem] + numbered).first { !taken.contains($0) } ?? stem
            taken.insert(name)
            return ServedStore(name: name, store: store, isFirst: index == 0)
        }
        self.stores = served
        explorers = try served.map { one in try make(one.store, served.filter { $0.name != one.name }) }
        for (one, explorer) in zip(served, explorers) { one.door.open(to: explorer) }
    }

    /// Answers a request by the store that its address names.
    public func respond(to request: Request) -> Response {
        guard let (index, target) = choice(request.target) else { return explorers[0].respond(to: request) }
        var request = request
        request.target = target
        return Linking.below("@" + stores[index].name).used { explorers[index].respond(to: request) }
    }

    /// As a server serves them.
    public var site: Site {
        let sites = explorers.map(\.site)
        return Site(
            respond: { self.respond(to: $0) }, mostBody: { self.chosen($0, sites) { $0.mostBody($1) } },
            takesLong: { self.chosen($0, sites) { $0.takesLong($1) } })
    }

    private func chosen<T>(_ request: Request, _ sites: [Site], _ ask: (Site, Request) -> T) -> T {
        guard let (index, target) = choice(request.target) else { return ask(sites[0], request) }
        var request = request
        request.target = target
        return ask(sites[index], request)
    }

    /// Which store an address names, and what it asks of it; nil for the first.
    func choice(_ target: String) -> (index: Int, target: String)? {
        guard target.hasPrefix("/@") || target.hasPrefix("/%40") else { return nil }
        let part = target.dropFirst().prefix { $0 != "/" && $0 != "?" }
        guard let name = Address(target: "/" + part)?.path.first?.dropFirst(),
            let index = stores.firstIndex(where: { $0.name == name && !$0.isFirst })
        else { return nil }
        let rest = target.dropFirst(1 + part.count)
        return (index, rest.hasPrefix("/") ? String(rest) : "/" + rest)
    }
}

extension Explorer {
    /// Other stores of the server, to go to.
    func storeChoice() -> HTML {
        HTML(.nav, .class("stores"), .label("Other stores")) {
            for other in others {
                HTML(.a, .class("chip"), .href(other.address()), .title(other.store.path)) { "@\(other.name)" }
            }
        }
    }
}
