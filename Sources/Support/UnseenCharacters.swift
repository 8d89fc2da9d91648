extension String {
    /// With what a terminal acts upon, or does not show, spelt out: control characters as `\u{1B}`, marks that turn the direction of text as
    /// `\u{202E}`, and everything else that takes no room. What joins letters and pictures into one is left.
    ///
    /// - Parameter kept: characters to leave as they are.
    package func shown(keeping kept: String = "") -> String {
        let kept = kept.unicodeScalars
        return spellingOut { scalar in
            if kept.contains(scalar) { return String(scalar) }
            switch scalar {
            case "\n": return "\\n"
            case "\r": return "\\r"
            case "\t": return "\\t"
            default: return "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            }
        }
    }

    /// With `spelling` in place of what a terminal acts upon or does not show.
    package func spellingOut(_ spelling: (Unicode.Scalar) -> String) -> String {
        guard utf8.contains(where: { $0 < 0x20 || $0 >= 0x7F }), unicodeScalars.contains(where: \.isUnseen) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isUnseen { result += spelling(scalar) } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}

extension Unicode.Scalar {
    fileprivate var isUnseen: Bool {
        if value < 0x7F { return value < 0x20 }
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        // Not the joiners of Persian, of Indian scripts and of emoji.
        case .format: return properties.isDefaultIgnorableCodePoint && self != "\u{200C}" && self != "\u{200D}"
        default: return false
        }
    }
}
