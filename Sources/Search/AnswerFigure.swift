/// What a picture of an answer shows. It is drawn by whoever has the images' files.
public enum AnswerFigure: Sendable {
    /// Images in rows.
    case sheet(SheetPlan)
    case histogram(HistogramQuery.Histogram)

    public enum Kind: Sendable {
        /// A contact sheet of whole images.
        case sheet
        /// A contact sheet of the parts of images that neurons saw; or of whole images, these parts outlined.
        case crops
        case chart
    }
}

/// A contact sheet: which images stand where, and what is written beside them.
public struct SheetPlan: Sendable {
    public struct Picture: Sendable {
        public var imageID: Int
        /// The file, where it is known.
        public var path: String?
        /// Said first under the picture.
        public var note: String
        public var label: String?
        /// Where a neuron was strongest, if the sheet shows it.
        public var place: Place?

        public init(imageID: Int, path: String? = nil, note: String, label: String?, place: Place? = nil) {
            self.imageID = imageID
            self.path = path
            self.note = note
            self.label = label
            self.place = place
        }
    }

    /// A neuron, and a cell of its layer's map.
    public struct Place: Sendable {
        public var layer: String
        public var channel: Int
        public var y: Int
        public var x: Int

        public init(layer: String, channel: Int, y: Int, x: Int) {
            (self.layer, self.channel, self.y, self.x) = (layer, channel, y, x)
        }
    }

    public struct Row: Sendable {
        public var title: String
        public var subtitle: String?
        /// Of which the row is, where it is of one alone.
        public var neuron: NeuronName?
        /// A line under the title.
        public var note: String?
        public var pictures: [Picture]

        public init(title: String, subtitle: String? = nil, pictures: [Picture] = []) {
            self.title = title
            self.subtitle = subtitle
            self.pictures = pictures
        }
    }

    public var rows: [Row]
    /// What makes the sheet smaller.
    public var advice: String
    /// Whether images are whole where the sheet could show parts of them.
    public var isWhole: Bool

    public init(_ rows: [Row], advice: String = "give a smaller -k", isWhole: Bool = false) {
        self.rows = rows
        self.advice = advice
        self.isWhole = isWhole
    }
}
