import Explanations
import Images
import Indexing

/// What became of all the images that were to be explained.
struct Explained {
    /// Those that were.
    var count = 0
    /// Those that could not be, and why.
    var omitted: [(image: String, reason: String)] = []
    /// Whether the user ended it.
    var isStopped = false

    /// Whether the image is to blame, so that others can be explained all the same.
    static func isOfOneImage(_ error: any Error) -> Bool {
        switch error {
        case is ImageError: true
        case ExplanationError.image, ExplanationError.flat, ExplanationError.saturated, ExplanationError.notFinite: true
        default: false
        }
    }

    /// How many images were not explained, with examples.
    var omissionNotes: [String] {
        guard !omitted.isEmpty else { return [] }
        let all = count + omitted.count
        return ["not explained: \(omitted.count) of \(all) images"] + Remarks.gathered(omitted.map { ($0.image, $0.reason) })
    }
}

/// One image, explained by one network or by several.
struct Answer {
    /// As it was asked for.
    var name: String
    var subject: InputImage
    /// For every explanation the name of the network, and the place of its store among those asked.
    var models: [String]
    var archives: [Int]
    /// One for every network and target.
    var explanations: [Explanation]
    /// One an explanation.
    var findings: [Finding]
}

/// Sentences about many things.
enum Remarks {
    /// Each as “name: reason”; where more than three have one reason, their number with an example; ten lines at most.
    static func gathered(_ remarks: [(String, String)]) -> [String] {
        var order: [String] = []
        var names: [String: [String]] = [:]
        for (name, reason) in remarks {
            if names[reason] == nil { order.append(reason) }
            names[reason, default: []].append(name)
        }
        let lines = order.flatMap { reason -> [String] in
            let all = names[reason] ?? []
            // What names itself is not named twice.
            func line(_ name: String) -> String { reason.contains(name) ? reason : "\(name): \(reason)" }
            return all.count > 3 ? ["\(all.count) times, such as \(line(all[0]))"] : all.map(line)
        }
        return lines.count > 10 ? Array(lines.prefix(9)) + ["… and \(lines.count - 9) more of such lines"] : lines
    }
}
