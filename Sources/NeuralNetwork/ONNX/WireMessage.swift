import Foundation

/// What has a value where nothing is said: empty, or 0.
protocol Blank { init() }

extension String: Blank {}
extension Int32: Blank {}
extension Int64: Blank {}
extension Float: Blank {}
extension Data: Blank {}
extension FileBytes: Blank {}

/// A field that a message may leave out, and that then reads as empty or 0. `$field` is nil where it is left out.
@propertyWrapper struct Present<Value: Blank> {
    var projectedValue: Value?
    var wrappedValue: Value {
        get { projectedValue ?? Value() }
        _modify {
            var value = projectedValue ?? Value()
            projectedValue = nil
            defer { projectedValue = value }
            yield &value
        }
    }

    init() {}
}

extension Present: Sendable where Value: Sendable {}

/// A message of protobuf: its fields are declared once, each in a line, for reading and for writing.
///
/// Other fields than those are kept as they stand, and written behind them.
protocol WireMessage: Blank, Sendable {
    /// In order of their numbers.
    static var fields: [MessageField<Self>] { get }
    /// The fields that are not declared, with their keys.
    var unknown: Data { get set }
}

/// How one field of a message is read and written.
struct MessageField<Message>: Sendable {
    typealias Path<Value> = any WritableKeyPath<Message, Value> & Sendable

    let number: Int
    /// - Returns: Whether the value is of the field's kind; else it is kept as an unknown one.
    let read: @Sendable (inout Message, WireValue, WireReader) throws -> Bool
    let write: @Sendable (Message, inout Data) -> Void
}

extension WireMessage {
    /// - Throws: `WireFault` where the bytes are no whole message.
    init(_ file: FileBytes) throws {
        self.init()
        try file.data.withUnsafeBytes { bytes in
            var reader = WireReader(file, bytes)
            try merge(&reader)
        }
    }

    /// Adds the fields that are still to be read: of those that are no lists, the last one counts.
    mutating func merge(_ reader: inout WireReader) throws {
        while let (number, value, whole) = try reader.next() {
            if let field = Self.fields.first(where: { $0.number == number }), try field.read(&self, value, reader) { continue }
            unknown.append(contentsOf: reader.bytes[whole])
        }
    }

    /// Fields in order of their numbers, and then the unknown ones.
    func serialized() -> Data {
        var data = Data()
        for field in Self.fields { field.write(self, &data) }
        data.append(unknown)
        return data
    }
}

extension MessageField {
    /// A value that may be left out.
    static func one<Value>(_ number: Int, _ path: Path<Value?>, _ type: WireType<Value>) -> MessageField {
        MessageField(number: number) { message, value, reader in
            guard let found = try type.decode(value, reader) else { return false }
            message[keyPath: path] = found
            return true
        } write: { message, data in
            guard let value = message[keyPath: path] else { return }
            data.append(key: number, type.kind)
            type.encode(value, &data)
        }
    }

    /// Values, each with a key, or packed: both are read.
    static func many<Value>(
        _ number: Int, _ path: Path<[Value]>, _ type: WireType<Value>, packed: Bool = false
    ) -> MessageField {
        MessageField(number: number) { message, value, reader in
            if let found = try type.decode(value, reader) {
                message[keyPath: path].append(found)
                return true
            }
            guard case .bytes(let range) = value else { return false }
            message[keyPath: path] += try type.unpack(reader, range)
            return true
        } write: { message, data in
            let values = message[keyPath: path]
            guard packed else {
                for value in values {
                    data.append(key: number, type.kind)
                    type.encode(value, &data)
                }
                return
            }
            guard !values.isEmpty else { return }
            var body = Data()
            for value in values { type.encode(value, &body) }
            data.append(key: number, 2)
            data.append(counted: body)
        }
    }

    /// A message that may be left out; where it comes twice, the second is added to the first.
    static func message<Inner: WireMessage>(_ number: Int, _ path: Path<Inner?>) -> MessageField {
        MessageField(number: number) { message, value, reader in
            guard case .bytes(let range) = value else { return false }
            var (inner, body) = (message[keyPath: path] ?? Inner(), try reader.inner(range))
            try inner.merge(&body)
            message[keyPath: path] = inner
            return true
        } write: { message, data in
            guard let inner = message[keyPath: path] else { return }
            data.append(key: number, 2)
            data.append(counted: inner.serialized())
        }
    }

    static func messages<Inner: WireMessage>(_ number: Int, _ path: Path<[Inner]>) -> MessageField {
        MessageField(number: number) { message, value, reader in
            guard case .bytes(let range) = value else { return false }
            var (inner, body) = (Inner(), try reader.inner(range))
            try inner.merge(&body)
            message[keyPath: path].append(inner)
            return true
        } write: { message, data in
            for inner in message[keyPath: path] {
                data.append(key: number, 2)
                data.append(counted: inner.serialized())
            }
        }
    }
}

extension WireType {
    /// - Throws: `WireFault` where the last number is cut short.
    fileprivate func unpack(_ reader: WireReader, _ range: Range<Int>) throws -> [Value] {
        if let decodeAll {
            guard range.count % MemoryLayout<Value>.size == 0 else { throw WireFault() }
            return decodeAll(UnsafeRawBufferPointer(rebasing: reader.bytes[range]))
        }
        var (values, rest) = ([Value](), reader.packed(range))
        while !rest.isAtEnd {
            guard let value = try decode(try rest.value(kind: kind), reader) else { throw WireFault() }
            values.append(value)
        }
        return values
    }
}

extension Data {
    fileprivate mutating func append(key number: Int, _ kind: UInt8) { append(varint: UInt64(number) << 3 | UInt64(kind)) }
}
