import ActivationStore
public import ArgumentParser
import Foundation

extension CompletionKind {
    /// Neurons of the store on the line: `LAYER`, `LAYER:CHANNEL`, `class:NAME`.
    public static let neurons = names { store, prefix in store.completions(ofNeuron: prefix) }
    /// Layers of the store on the line.
    public static let layers = names { store, _ in store.description.layers.map(\.name) }
    /// Labels of its images.
    public static let labels = names { store, _ in try store.labelNames() }
    /// Its images, folder by folder, and files.
    public static let images = custom { words, index, _ in
        let prefix = ShellWord.text(of: words, index)
        let known = (try? ShellWord.store(in: words)?.completions(ofImage: prefix)) ?? []
        return ShellWord.answers(known + ShellWord.files(prefix))
    }

    /// What a store has for the word that is being typed; nothing where no store is on the line.
    private static func names(_ names: @escaping @Sendable (Store, String) throws -> [String]) -> CompletionKind {
        .custom { words, index, _ in
            let prefix = ShellWord.text(of: words, index)
            guard let store = ShellWord.store(in: words), let found = try? names(store, prefix) else { return [] }
            return ShellWord.answers(found.filter { $0.hasPrefix(prefix) })
        }
    }
}

extension Store {
    /// Layers first; channels once a layer and its colon are there, and at once where only one layer begins so.
    func completions(ofNeuron prefix: String) -> [String] {
        let layers = description.layers.filter { $0.name.hasPrefix(prefix) }.map(\.name)
        if let layer = description.layers.first(where: { prefix.hasPrefix($0.name + ":") }) {
            return layers + (0..<layer.channels).map { "\(layer.name):\($0)" }
        }
        let logits = description.layers.last(where: \.isLogits)
        guard !prefix.hasPrefix("class:") else {
            let names = description.classes.isEmpty ? (0..<(logits?.channels ?? 0)).map(String.init) : description.classes
            return names.map { "class:" + $0 }
        }
        return layers + (layers.count == 1 ? [layers[0] + ":"] : []) + (logits == nil ? [] : ["class:"])
            + (description.namedOutputs == nil ? [] : description.model.outputNames.map { "output:" + $0 })
    }

    /// Paths as far as the next slash.
    func completions(ofImage prefix: String) throws -> [String] {
        let paths = try read { snapshot in
            try snapshot.texts(
                "SELECT path FROM image WHERE substr(path, 1, length(?1)) = ?1 ORDER BY id LIMIT 100000", prefix)
        }
        var known: Set<String> = []
        return paths.compactMap { path in
            let rest = path.dropFirst(prefix.count)
            let end = rest.firstIndex(of: "/").map { rest.index(after: $0) } ?? rest.endIndex
            let name = prefix + rest[..<end]
            return known.insert(name).inserted ? name : nil
        }
    }

    func labelNames() throws -> [String] { try read { try $0.texts("SELECT name FROM label ORDER BY name") } }
}

/// Words of a line that is being typed into a shell, and answers as the shell wants them.
private enum ShellWord {
    /// The word that is being completed, without its quotes.
    static func text(of words: [String], _ index: Int) -> String { words.indices.contains(index) ? text(words[index]) : "" }

    /// The first word after the command that is a store.
    static func store(in words: [String]) -> Store? {
        words.dropFirst(2).lazy.map(text).filter { !$0.hasPrefix("-") && !$0.isEmpty }.compactMap { try? Store.open(path: $0) }
            .first
    }

    /// Without quotes and backslashes, the home folder spelt out.
    private static func text(_ word: String) -> String {
        var text = ""
        var quote: Character?
        var isEscaped = false
        for character in word {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            } else {
                text.append(character)
            }
        }
        return word.hasPrefix("~/") ? NSHomeDirectory() + text.dropFirst() : text
    }

    /// Files and folders that begin so.
    static func files(_ prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") }.map { folder + $0 }.filter { $0.hasPrefix(prefix) }.map { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue ? path + "/" : path
        }
    }

    /// Each once, and written so that the shell takes them for what they are.
    static func answers(_ names: [String]) -> [String] {
        var known: Set<String> = []
        let unique = names.filter { !$0.isEmpty && !$0.contains("\n") && known.insert($0).inserted }
        switch CompletionShell.requesting {
        // What it takes for the start of a description.
        case CompletionShell.zsh: return unique.map { $0.replacingOccurrences(of: ":", with: "\\:") }
        // It reads words as if they were typed.
        case CompletionShell.bash: return unique.map(escaped)
        default: return unique
        }
    }

    private static func escaped(_ name: String) -> String {
        name.map { $0.isLetter || $0.isNumber || "-_./:,@%+=".contains($0) ? String($0) : "\\\($0)" }.joined()
    }
}
