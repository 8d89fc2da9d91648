import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport
import Testing

@Suite struct ExplanationArchiveTests {
    private let fixture: ExplainerFixture
    private let cat = ExplainerFixture.fixtures + "/petshop/test/cat/cat-43.jpg"

    init() throws { fixture = try ExplainerFixture.petshop() }

    private func archive(model: String? = nil, keeps: Bool = true, version: String = "1") throws -> ExplanationArchive {
        try ExplanationArchive(store: fixture.store, model: model, keeps: keeps, toolVersion: version)
    }

    @Test func whatWasMadeIsGivenAtOnce() throws {
        let first = try archive()
        let subject = try first.subject(cat)
        let target = try fixture.target("class:cat")
        let made = try first.explanation(of: subject, target: target, by: Saliency.parse([]))
        #expect(!made.wasKept && first.refusal == nil)
        // Another one, which could not load the network.
        let second = try archive(model: "/nowhere/to/be.onnx")
        let kept = try second.explanation(of: subject, target: target, by: Saliency.parse([]))
        #expect(kept.wasKept)
        #expect(kept.map == made.map && kept.value == made.value && kept.boxes == made.boxes)
        #expect(kept.target == target && kept.image == subject.name && kept.arguments == ["--method", "gradient"])

        let record = try #require(try fixture.store.explanations().first)
        let id = try #require(record.id)
        let whole = try #require(try fixture.store.explanation(id: id))
        #expect(ExplanationMap(whole) == made.map)
        let text = PNG.text(in: Array(whole.picture))
        #expect(
            Provenance.arguments(in: text)
                == [
                    "saliency", "--method", "gradient", "--target", "class:cat", "--size", "224", fixture.store.path,
                    subject.name,
                ])
    }

    @Test func whateverAMapDependsOnTellsResultsApart() throws {
        let subject = try archive().subject(cat)
        let other = try archive().subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-43.jpg")
        func wasKept(_ archive: ExplanationArchive, _ subject: InputImage, _ target: String, _ options: [String]) throws -> Bool {
            try archive.explanation(of: subject, target: fixture.target(target), by: Occlusion.parse(options)).wasKept
        }
        let options = ["--window", "48", "--stride", "24"]
        #expect(try !wasKept(archive(), subject, "class:cat", options))
        #expect(try wasKept(archive(), subject, "class:cat", options))
        #expect(try !wasKept(archive(), subject, "class:dog", options))
        #expect(try !wasKept(archive(), other, "class:cat", options))
        #expect(try !wasKept(archive(), subject, "class:cat", options + ["--fill", "grey"]))
        #expect(try !wasKept(archive(version: "2"), subject, "class:cat", options))
        #expect(try !wasKept(archive(keeps: false), subject, "class:cat", options))
        #expect(try fixture.store.explanations().count == 5)
    }

    @Test func climbsAreKept() throws {
        let archive = try archive()
        var settings = AscentStyle.olah.settings(side: 96)
        settings.steps = 4
        settings.count = 2
        let objective = try Objective("class:cat - 0.5*conv4:3", in: fixture.store.description)
        let made = try archive.ascent(of: objective, settings: settings, style: .olah)
        let kept = try self.archive(model: "/nowhere.onnx").ascent(of: objective, settings: settings, style: .olah)
        #expect(!made.wasKept && kept.wasKept)
        #expect(kept.record == made.record && kept.map == made.map && kept.pictures == made.pictures)
        #expect(made.map.channels == 6 && made.pictures.count == 2)
        settings.seed = 1
        #expect(try !archive.ascent(of: objective, settings: settings, style: .olah).wasKept)
        // One that was stopped is not what was asked for.
        settings.seed = 2
        let stopped = try archive.ascent(of: objective, settings: settings, style: .olah) { $0.step < 2 }
        #expect(stopped.record.steps == 2)
        #expect(try !archive.ascent(of: objective, settings: settings, style: .olah).wasKept)
    }

    @Test func aFittedLastLayerMakesTheMaps() throws {
        let fixture = try ExplainerFixture.petshop(indexing: try Dataset(paths: [ExplainerFixture.fixtures + "/petshop"]))
        let subject = try fixture.subject(cat)
        let target = try fixture.target("class:cat")
        func map(_ options: [String], _ target: Target) throws -> ExplanationMap {
            try ClassActivationMap.parse(options).map(of: subject, target: target, by: Explainer(store: fixture.store))
        }
        #expect(throws: ExplanationError.self) { try map(["--method", "cam"], target) }
        #expect(try map([], target).note?.hasPrefix("Grad-CAM at conv4") == true)
        let head = try CAMHead(fitting: fixture.store)
        try fixture.store.keep(head)
        let made = try map([], target)
        #expect(made == (try head.map(of: subject, classIndex: head.classes.firstIndex(of: "cat") ?? -1, by: fixture.explainer)))
        #expect(try map(["--method", "cam"], target) == made)
        #expect(made.note == "CAM at pool_3 by a fitted last layer")
        // Grad-CAM is still there for who asks for it, and for what is no class.
        #expect(try map(["--method", "grad-cam"], target).note == "Grad-CAM at conv4")
        #expect(try map([], fixture.target("conv4:3")).note?.hasPrefix("Grad-CAM") == true)
    }

    /// A method's arguments, parsed, are the method.
    @Test(arguments: [
        ("saliency", []), ("saliency", ["--method", "smoothgrad", "--samples", "3", "--sigma", "0.1", "--seed", "9"]),
        ("saliency", ["--method", "integrated", "--steps", "5", "--baseline", "white"]), ("occlusion", []),
        ("occlusion", ["--window", "9", "--stride", "4", "--fill", "blur", "--probability", "--full"]), ("cam", []),
        ("cam", ["--method", "grad-cam", "--layer", "conv3", "--boxes", "all", "--box-share", "0.37"]), ("deconv", []),
        ("deconv", ["--rule", "guided"]),
    ])
    func argumentsAreTheMethod(_ name: String, _ options: [String]) throws {
        let method = try #require(explanationMethods.first { $0.name == name })
        let arguments = try method.parse(options).arguments
        #expect(try method.parse(arguments).arguments == arguments)
        for (option, value) in zip(options, options.dropFirst()) where option.hasPrefix("--") && !value.hasPrefix("--") {
            let place = try #require(arguments.firstIndex(of: option))
            #expect(arguments[place + 1] == value)
        }
    }
}
