import ActivationStore
import ArgumentParser
import Foundation
import Pages
import Search
import Support
import Synchronization

/// What an address cannot ask, in the words of the command line.
struct Refusal: Error {
    var sentence: String
    /// Help was asked for.
    var isHelp = false
    var status = Response.Status.badRequest
}

/// A question that an address asks: what the path names behind the page are its operands, and the fields behind the question
/// mark its options, parsed by the types that parse the command line.
enum AddressedQuestion {
    /// - Parameters:
    ///   - operands: of the path.
    ///   - fields: of the address. One whose value was left empty in a form is not asked.
    /// - Throws: ``Refusal``.
    static func parse<Q: Query>(_: Q.Type, operands: [String], fields: [Address.Field]) throws -> Q {
        try parse(Q.self, operands: operands, fields: fields) { try $0.check(isDrawn: false) }
    }

    /// Of anything that a command line parses.
    static func parse<Q: ParsableArguments>(
        _: Q.Type, operands: [String], fields: [Address.Field], check: (Q) throws -> Void
    ) throws -> Q {
        let names = names(of: Q.self)
        var arguments: [String] = []
        for field in fields {
            guard field.name.utf8.allSatisfy({ isOfName($0) }) else {
                throw Refusal(sentence: "'\(field.name)' is the name of no option")
            }
            let isShort = names.short.contains(field.name)
            let name = isShort ? "-" + field.name : "--" + field.name
            if names.flags.contains(field.name) {
                arguments.append(name)
            } else if !field.value.isEmpty {
                arguments += isShort ? [name, field.value] : ["\(name)=\(field.value)"]
            }
        }
        do {
            let query = try Q.parse(arguments + (operands.isEmpty ? [] : ["--"]) + operands)
            try check(query)
            // Whoever sees a page may not read this machine's files by it.
            if let file = (query as? any FileReadingQuery)?.filesRead.first {
                throw Refusal(sentence: "\(file) is a file, which pages do not read; ask on the command line")
            }
            return query
        } catch let error as QueryError {
            throw Refusal(sentence: error.description)
        } catch let error as ValidationError {
            throw Refusal(sentence: error.message)
        } catch {
            throw Refusal(sentence: Q.message(for: error), isHelp: Q.exitCode(for: error) == .success)
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// The command that asks the same.
    static func command(_ query: any Query, store: String) -> String {
        Spelling.line(
            ["neurodex"] + Spelling.command(type(of: query).name, options: query.options, operands: [store] + query.operands))
    }

    /// By type, as the argument parser takes milliseconds to tell.
    private static let told = Mutex<[ObjectIdentifier: OptionNames]>([:])

    private struct OptionNames: Sendable {
        /// Without a value.
        var flags: Set<String>
        /// Of one letter, behind one hyphen.
        var short: Set<String>
    }

    private static func names<Q: ParsableArguments>(of _: Q.Type) -> OptionNames {
        if let known = told.withLock({ $0[ObjectIdentifier(Q.self)] }) { return known }
        let help = try? JSONDecoder().decode(HelpDump.self, from: Data(Q._dumpHelp().utf8))
        let arguments = help?.command.arguments ?? []
        let flags = arguments.filter { $0.kind == "flag" }.flatMap { ($0.names ?? []).map(\.name) }
        let short = arguments.flatMap { ($0.names ?? []).filter { $0.kind == "short" }.map(\.name) }
        let names = OptionNames(flags: Set(flags + ["help"]), short: Set(short))
        told.withLock { $0[ObjectIdentifier(Q.self)] = names }
        return names
    }

    /// The argument parser's description of what it parses.
    private struct HelpDump: Decodable {
        struct Command: Decodable { var arguments: [Argument]? }
        struct Argument: Decodable {
            var kind: String
            var names: [Name]?
        }
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var command: Command
    }
}
