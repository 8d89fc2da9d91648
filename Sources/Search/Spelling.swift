/// A command spelt out so that the argument parser reads it back as it was: what a picture says of how it was made, what a store keeps of an
/// explanation, and what a user may type again.
public enum Spelling {
    /// An option under its name once for each value; nothing for a value that is nil.
    ///
    /// A value that begins with a hyphen, as a condition or a layer's name may, would be taken for an option of its own: it is joined to the name.
    public static func option(_ name: String, _ values: String?...) -> [String] { option(name, values) }

    public static func option(_ name: String, _ values: [String?]) -> [String] {
        values.compactMap { $0 }.flatMap { $0.hasPrefix("-") ? ["\(name)=\($0)"] : [name, $0] }
    }

    /// A text within a statement of SQL, quoted.
    public static func sql(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    /// A flag, where it is set.
    public static func flag(_ name: String, _ isSet: Bool) -> [String] { isSet ? [name] : [] }

    /// All arguments of a command: its options first, then what it takes without a name, which may look like options.
    public static func command(_ name: String, options: [String], operands: [String]) -> [String] {
        [name] + options + (operands.contains { $0.hasPrefix("-") } ? ["--"] : []) + operands
    }

    /// Words as a line of a shell, quoted where the shell would act upon them.
    public static func line(_ words: [String]) -> String {
        words.map { word in
            !word.isEmpty && word.unicodeScalars.allSatisfy(isPlain)
                ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
        }.joined(separator: " ")
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-_./:,@%+=".unicodeScalars.contains(scalar)
    }
}
