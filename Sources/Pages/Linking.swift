import Support

/// Where the addresses lead that stand in a page while it is made: to the server's root, below a part of it, or to files.
///
/// ```swift
/// let page = Linking(link: { files[$0] }, picture: { _ in nil }).used { page() }
/// ```
public struct Linking: Sendable {
    /// What stands in a link, or in a form; nil for one that leads nowhere.
    public var link: @Sendable (Address) -> String?
    /// What a picture is loaded from; nil for one that is not there.
    public var picture: @Sendable (Address) -> String?

    private static let onThread = ThreadLocal<Linking>("linking")

    /// Nil: addresses are those of the server that sends the page.
    private static var current: Linking? { onThread.value }

    public init(link: @escaping @Sendable (Address) -> String?, picture: @escaping @Sendable (Address) -> String?) {
        (self.link, self.picture) = (link, picture)
    }

    /// Makes pages whose addresses lead where this says; on this thread.
    public func used<Value>(_ body: () throws -> Value) rethrows -> Value { try Self.onThread.with(self, body) }

    /// Below a part of the server: `/@other/neuron/conv4:3`.
    public static func below(_ part: String) -> Linking {
        let text: @Sendable (Address) -> String? = { address in
            var address = address
            guard !address.isOfServer else { return address.text }
            address.path.insert(part, at: 0)
            return address.text
        }
        return Linking(link: text, picture: text)
    }

    /// As a link has it.
    public static func link(_ address: Address) -> String? { text(address, \.link) }

    /// As a picture has it.
    public static func picture(_ address: Address) -> String? { text(address, \.picture) }

    private static func text(_ address: Address, _ way: KeyPath<Linking, @Sendable (Address) -> String?>) -> String? {
        guard let current, address.isAbsolute, !address.isData else { return address.text }
        return current[keyPath: way](address)
    }
}
