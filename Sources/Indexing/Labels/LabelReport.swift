/// How a table of labels fits the images that it is for.
public struct LabelReport: Equatable, Sendable {
    /// How many of something, and the first of them.
    public struct Finding: Equatable, Sendable {
        public private(set) var count = 0
        public private(set) var examples: [String] = []

        mutating func add(_ example: @autoclosure () -> String) {
            count += 1
            if examples.count < 3 { examples.append(example()) }
        }

        var text: String { examples.joined(separator: ", ") + (count > examples.count ? ", …" : "") }
    }

    /// The table's path.
    public var table: String
    public var images: Int
    /// Images that no row names.
    public var unnamed = Finding()
    /// Images whose row has no label.
    public var empty = Finding()
    /// Rows that name no image.
    public var idle = Finding()
    /// Rows that say again what another said of an image.
    public var repeated = Finding()
    /// Rows that are not taken because another one names the image too, and says something else.
    public var contradicted = Finding()
    /// Rows that name several images.
    public var shared = Finding()

    /// What the table says of images.
    private let what: String

    init(table: String, images: Int, what: String = "label") {
        (self.table, self.images, self.what) = (table, images, what)
    }

    /// Without the rows that name no image: of a table that was given before, they may be of images of then.
    func ofSomeImages() -> LabelReport {
        var report = self
        report.idle = Finding()
        return report
    }

    /// What a user should know, a sentence each; empty where every image has one row and every row one image.
    public var sentences: [String] {
        var sentences: [String] = []
        if unnamed.count > 0 {
            sentences.append("\(table) names \(images - unnamed.count) of \(images) images; it says nothing of \(unnamed.text)")
        }
        func add(_ rows: Finding, _ one: String, _ several: String, _ what: String) {
            guard rows.count > 0 else { return }
            let verb = rows.count == 1 ? "row of \(table) \(one)" : "rows of \(table) \(several)"
            sentences.append("\(rows.count) \(verb) \(what): \(rows.text)")
        }
        add(idle, "names", "name", "no image")
        add(
            contradicted, "is", "are",
            "not taken, as another one with as long a name or a longer one names the image too")
        add(repeated, "repeats", "repeat", "another")
        add(shared, "names", "name", "several images")
        add(empty, "has", "have", "no \(what)")
        return sentences
    }
}
