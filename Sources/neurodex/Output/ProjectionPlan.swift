import ActivationStore

/// Which images neurons are sent back from, page by page.
struct ProjectionPlan {
    /// Images of a neuron that stand on one page.
    struct Part {
        var neuron: String
        var layer: LayerRecord
        /// Images, and where on them; nil for the maximum.
        var places: [(image: String, at: String?)]
        /// How many of the neuron's images are on pages before.
        var first = 0
        /// Whether the neuron has none on other pages.
        var isAll = true
        /// Whether it has none on pages behind.
        var isLast = true

        init(neuron: String, layer: LayerRecord, places: [(String, String?)]) {
            (self.neuron, self.layer, self.places) = (neuron, layer, places)
        }

        fileprivate func parts(of count: Int) -> [Part] {
            guard places.count > count else { return [self] }
            return stride(from: 0, to: places.count, by: count).map { start in
                var part = self
                part.places = Array(places[start..<min(start + count, places.count)])
                (part.first, part.isAll, part.isLast) = (start, false, start + count >= places.count)
                return part
            }
        }
    }

    let pages: [[Part]]
    /// Whether the user named each image: one that cannot be read is an error then, else it is passed over and said.
    let isListed: Bool
    let notes: [String]

    /// Neurons stand on one page as long as there is room; one that has too many images gets pages of its own.
    init(_ parts: [Part], room: Int, isListed: Bool, notes: [String]) {
        var pages: [[Part]] = []
        var free = 0
        for part in parts.flatMap({ $0.parts(of: room) }) {
            if part.places.count > free || !part.isAll {
                pages.append([])
                free = room
            }
            pages[pages.count - 1].append(part)
            free = part.isAll ? free - part.places.count : 0
        }
        (self.pages, self.isListed, self.notes) = (pages, isListed, notes)
    }
}

/// How far projections came.
struct ProjectionRun {
    var count = 0
    /// Neurons that have all of theirs.
    var whole = 0
    /// Name and reason.
    var omitted: [(String, String)] = []
    /// Whether the user ended it.
    private(set) var isStopped = false

    mutating func stop() { isStopped = true }
}
