import ActivationStore
import ArgumentParser
import Search
import Support

/// A question of the tests: this file, and a line in ``QueryContractTests``, are all that it takes.
struct BrightestQuery: Query {
    static let name = "brightest"
    static let abstract = "List the images with the largest mean over a layer's neurons."
    static let usage = "<layer>"
    static let discussion = """
        Examples:

          neurodex brightest shop.sqlite conv4 -k 3
        """
    static let figureKind: AnswerFigure.Kind? = .sheet

    @Argument var layer: String
    @Option(name: .customShort("k")) var count = 5
    @Option(name: .customLong("where")) var condition: String?

    struct Hit: TableRow, Equatable {
        var image: String
        var imageID: Int
        var label: String?
        var mean: Double

        static let columns: [ListColumn<Hit>] = list {
            column("image", \.image).shortened
            column("image_id", \.imageID).forPrograms
            column("label", \.label)
            column("mean", title: "mean ×100", \.mean).shown { .value($0.mean * 100) }.after("image")
        }
    }

    static func samples(_ ground: SampleGround) -> [BrightestQuery] {
        var (plain, chosen) = (BrightestQuery(), BrightestQuery())
        (plain.layer, plain.count, plain.condition) = (ground.layer, 5, nil)
        (chosen.layer, chosen.count, chosen.condition) = (ground.layer, 3, "-1 < id AND \(ground.condition)")
        return [plain, chosen]
    }

    var options: [String] { Spelling.option("-k", "\(count)") + Spelling.option("--where", condition) }
    var operands: [String] { [layer] }
    var selection: String? { condition }

    func run(in store: Store) throws -> [Hit] {
        try GroupQuery(by: .mean, options: TopQuery(neurons: [layer], count: count, condition: condition)).run(in: store).map {
            Hit(image: $0.image, imageID: $0.imageID, label: $0.label, mean: $0.value)
        }
    }

    func figure(of hits: [Hit], in store: Store) -> AnswerFigure? {
        guard !hits.isEmpty else { return nil }
        let pictures = hits.map { SheetPlan.Picture(imageID: $0.imageID, note: "\($0.mean)", label: $0.label) }
        return .sheet(SheetPlan([SheetPlan.Row(title: layer, pictures: pictures)]))
    }
}
