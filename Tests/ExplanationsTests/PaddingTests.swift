import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Pictures in a letterbox: the padding is seen by the network and is no part of the picture.
@Suite struct PaddingTests {
    private let folder: TemporaryFolder
    private let fixture: ExplainerFixture
    /// 72 × 40 pixels, which fill columns 0..<96 and rows 21..<74 of the network's 96 × 96.
    private let subject: InputImage
    private let rows = 21..<74
    private let letterbox: Preprocessing

    init() throws {
        folder = try TemporaryFolder()
        let dog = try Image(contentsOf: ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        try Data(dog.cropped(columns: 12..<84, rows: 20..<60).pngData()).write(to: URL(fileURLWithPath: folder.file("wide.png")))
        var recipe = Preprocessing(.torchvision, input: Size(width: 96, height: 96))
        (recipe.resize, recipe.padding) = (.letterbox(.center), Preprocessing.letterboxPadding)
        letterbox = recipe
        fixture = try ExplainerFixture(
            model: ExplainerFixture.fixtures + "/petshop.onnx", preprocessing: recipe,
            classes: ["cat", "dog", "bird", "fish", "rabbit"])
        subject = try fixture.subject(folder.file("wide.png"))
    }

    private func isPicture(_ pixel: Int) -> Bool { rows.contains(pixel % (96 * 96) / 96) }

    @Test func theFrameIsAsExpected() {
        let placement = subject.framed.placement
        #expect(placement.shown.columns == 0..<96 && placement.shown.rows == rows)
        #expect(subject.framed.image[5, 20] == Color(114, 114, 114) && subject.framed.image[5, 74] == Color(114, 114, 114))
        // Padding is scaled as the picture's pixels are.
        #expect(subject.tensor[0] == letterbox.table[114] && subject.tensor[1] == letterbox.table[256 + 114])
    }

    @Test(arguments: [["--method", "gradient"], ["--method", "smoothgrad", "--samples", "3"]])
    func mapsAreZeroInThePaddingAndElsewhereAsTheyWere(_ arguments: [String]) throws {
        let method = try Saliency.parse(arguments)
        let target = try fixture.target("class:dog")
        let whole = try method.map(of: subject, target: target, by: fixture.explainer)
        let map = try method.pictureMap(of: subject, target: target, by: fixture.explainer)
        for index in map.values.indices { #expect(map.values[index] == (isPicture(index) ? whole.values[index] : 0)) }
        #expect(whole.values.indices.contains { !isPicture($0) && whole.values[$0] != 0 })
    }

    /// Each window on its own through the network, without touching the padding.
    @Test func windowsCoverThePictureAlone() throws {
        let target = try fixture.target("class:dog")
        let map = try Occlusion.parse(["--window", "40", "--stride", "25", "--fill", "black"])
            .pictureMap(of: subject, target: target, by: fixture.explainer)
        let table = letterbox.table
        let whole = try fixture.scores(subject.tensor)[target.channel]
        var sums = [[Float]](repeating: [], count: 96 * 96)
        for top in [0, 25, 50, 75] {
            for left in [0, 25, 50, 75] {
                let pixels = (top..<min(top + 40, 96)).flatMap { y in (left..<min(left + 40, 96)).map { y * 96 + $0 } }
                var tensor = subject.tensor
                for pixel in pixels where isPicture(pixel) {
                    for channel in 0..<3 { tensor[pixel * 3 + channel] = table[channel * 256] }
                }
                let drop = whole - (try fixture.scores(tensor)[target.channel])
                for pixel in pixels { sums[pixel].append(drop) }
            }
        }
        let largest = map.values.map(abs).max() ?? 0
        #expect(largest > 0.1)
        for pixel in sums.indices {
            let expected = isPicture(pixel) ? sums[pixel].reduce(0, +) / Float(sums[pixel].count) : 0
            #expect(abs(map.values[pixel] - expected) <= 1e-4 * largest)
        }
    }

    /// Completeness holds beside a baseline that has the same padding.
    @Test func integratedGradientsGoWithoutThePadding() throws {
        let target = try fixture.target("class:dog")
        let map = try Saliency.parse(["--method", "integrated", "--steps", "64", "--baseline", "black"])
            .pictureMap(of: subject, target: target, by: fixture.explainer)
        var black = subject.tensor
        for index in black.indices where isPicture(index / 3) { black[index] = letterbox.table[index % 3 * 256] }
        let difference = try fixture.scores(subject.tensor)[target.channel] - fixture.scores(black)[target.channel]
        #expect(abs(map.values.reduce(0, +) - difference) < 0.02 * abs(difference))
        #expect(map.values.indices.allSatisfy { isPicture($0) || map.values[$0] == 0 })
    }

    @Test func boxesMasksAndPicturesAreOfThePicture() throws {
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        let explanation = try archive.explanation(
            of: subject, target: fixture.target("class:dog"),
            by: ClassActivationMap.parse(["--boxes", "all", "--box-share", "0"]))
        #expect(!explanation.boxes.isEmpty)
        for box in explanation.boxes { #expect(box.y >= 21 && box.y + box.height <= 74 && box.height > 0) }
        // A cell that shows something of the picture keeps its value; the others have none.
        let map = explanation.map
        for cell in map.values.indices {
            let (top, bottom) = (cell / map.width * 96 / map.height, (cell / map.width + 1) * 96 / map.height)
            if bottom <= 21 || top >= 74 { #expect(map.values[cell] == 0) }
        }
        let mask = try SaliencySegmentation().mask(of: explanation.map, over: subject.framed)
        #expect(mask.area > 0 && mask.width == 96 && mask.height == 96)
        #expect(mask.isInside.indices.allSatisfy { isPicture($0) || !mask.isInside[$0] })
        let panel = try archive.panel(of: explanation, on: subject, by: ClassActivationMap.parse([]))
        let row = archive.row(of: subject, panels: [panel])
        #expect(row.image.width == 96 && row.image.height == 53)
        guard case .map(let shown, _, let boxes) = try #require(row.panels.first).content else { throw CancellationError() }
        #expect(shown.height == 53 && shown.width == 96)
        #expect(boxes == explanation.boxes.map { Rectangle(x: $0.x, y: $0.y - 21, width: $0.width, height: $0.height) })
    }

    /// A box of the picture is found in the frame, and the maximum is looked for in the picture alone.
    @Test func boxesOfATableGoThroughTheLetterbox() throws {
        let csv = folder.file("boxes.csv")
        try Data("file,x0,y0,x1,y1\nwide.png,9,10,45,40\n".utf8).write(to: URL(fileURLWithPath: csv))
        let boxes = try BoxTable(contentsOf: csv).boxes(of: subject)
        #expect(boxes.count == 1)
        // 53 rows of 40, 96 columns of 72, from row 21 on.
        let expected = [12, 21 + 10 * 53.0 / 40, 48, 30 * 53.0 / 40]
        for (value, wanted) in zip([boxes[0].x, boxes[0].y, boxes[0].width, boxes[0].height], expected) {
            #expect(abs(value - wanted) < 1e-9)
        }
        var values = [Float](repeating: 0, count: 96 * 96)
        values[5 * 96 + 5] = 9
        values[60 * 96 + 20] = 1
        let map = ExplanationMap(channels: 1, height: 96, width: 96, values: values, isSigned: false)
        var game = PointingGame()
        #expect(try game.add(map, boxes: boxes, in: subject.framed.placement) == true)
        // The share of the picture, of 96 × 53 pixels, that is in the box.
        #expect(abs((game.chance ?? 0) - Double(48 * 40) / Double(96 * 53)) < 0.02)
    }

    @Test func whatANeuronSeesIsCutToThePicture() throws {
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        let layer = try #require(fixture.store.description.layers.first { $0.name == "conv2" })
        let method = try Deconvolution.parse(["--rule", "gradient"])
        let place = try fixture.explainer.place(of: fixture.target("conv2:3"), on: subject)
        let explanation = try archive.explanation(
            of: subject, target: fixture.target("conv2:3@\(place.y),\(place.x)"), by: method)
        let field = Projection(explanation, of: layer, on: subject, in: letterbox.crop).field
        #expect(field.y >= 21 && field.y + field.height <= 74)
        // At the upper edge it sees padding alone, which is then what there is to show.
        var above = explanation
        above.target = try fixture.target("conv2:3@0,0")
        #expect(Projection(above, of: layer, on: subject, in: letterbox.crop).field.y == 0)
    }

    @Test func deletionTakesThePictureAlone() throws {
        let target = try fixture.target("class:dog")
        let map = try Saliency.parse([]).pictureMap(of: subject, target: target, by: fixture.explainer)
        var settings = PerturbationCurves.Settings()
        settings.steps = 2
        let curves = try PerturbationCurves(
            of: map, subject: subject, target: target, by: fixture.explainer, settings: settings)
        var nothing = subject.tensor
        for index in nothing.indices where isPicture(index / 3) { nothing[index] = 0 }
        func probability(_ tensor: [Float]) throws -> Double {
            let scores = try fixture.scores(tensor)
            return exp(Double(scores[target.channel])) / scores.reduce(0.0) { $0 + exp(Double($1)) }
        }
        #expect(abs(curves.deletion.values[0] - (try probability(subject.tensor))) < 1e-5)
        #expect(abs(curves.deletion.values[2] - (try probability(nothing))) < 1e-5)
        // Half of the picture's pixels, those of the largest values, are gone.
        let plane = map.plane
        let order = plane.indices.filter(isPicture).sorted { (plane[$1], $0) < (plane[$0], $1) }
        var half = subject.tensor
        for pixel in order.prefix(96 * 53 / 2) { for channel in 0..<3 { half[pixel * 3 + channel] = 0 } }
        #expect(abs(curves.deletion.values[1] - (try probability(half))) < 1e-5)
    }
}
