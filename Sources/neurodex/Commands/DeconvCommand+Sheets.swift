import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search

/// What `deconv` makes of its plan: projections, their numbers as files, and sheets.
extension DeconvCommand {
    /// A neuron's projections on a page.
    struct Made {
        var part: ProjectionPlan.Part
        var projections: [Projection] = []
        /// Whether the user let all of them be made.
        var isWhole = false
    }

    /// - Parameter body: takes what a page holds, after which nobody does; where the user stops it, what was made.
    func projected(
        _ plan: ProjectionPlan, _ archive: ExplanationArchive, body: ([Made]) throws -> Void
    ) throws -> ProjectionRun {
        let monitor = ExplanationMonitor()
        var run = ProjectionRun()
        for page in plan.pages where !run.isStopped {
            var all: [Made] = []
            for part in page where !run.isStopped {
                let made = try made(part, plan, archive, monitor, &run)
                if !made.projections.isEmpty { all.append(made) }
            }
            if !all.isEmpty { try body(all) }
        }
        return run
    }

    private func made(
        _ part: ProjectionPlan.Part, _ plan: ProjectionPlan, _ archive: ExplanationArchive, _ monitor: ExplanationMonitor,
        _ run: inout ProjectionRun
    ) throws -> Made {
        var made = Made(part: part)
        for place in part.places {
            do {
                guard let projection = try projection(of: part, place, archive, monitor) else {
                    run.stop()
                    return made
                }
                made.projections.append(projection)
                run.count += 1
            } catch  where !plan.isListed && Explained.isOfOneImage(error) {
                run.omitted.append((place.image, "\(error)"))
            }
        }
        made.isWhole = true
        if part.isLast { run.whole += 1 }
        return made
    }

    /// Nil where the user stopped it.
    private func projection(
        of part: ProjectionPlan.Part, _ place: (image: String, at: String?), _ archive: ExplanationArchive,
        _ monitor: ExplanationMonitor
    ) throws -> Projection? {
        let description = archive.store.description
        let subject = try archive.subject(place.image)
        let position = try place.at ?? maximum(of: Target(part.neuron, in: description), on: subject, archive)
        let target = try Target("\(part.neuron)@\(position)", in: description)
        let remark = "\(target.text) on \((place.image as NSString).lastPathComponent)"
        let made = try monitor.watch(remark) { try archive.explanation(of: subject, target: target, by: method) }
        return made.map { Projection($0, of: part.layer, on: subject, in: archive.preprocessing.crop) }
    }

    /// Where a neuron has its maximum, as `--position` takes it.
    private func maximum(of target: Target, on subject: InputImage, _ archive: ExplanationArchive) throws -> String {
        let place = try archive.explainer().place(of: target, on: subject)
        return "\(place.y),\(place.x)"
    }

    // MARK: Files

    func write(_ made: [Made], to folder: String) throws {
        try makeFolder(folder)
        for one in made {
            let name = one.part.layer.name.map { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" ? String($0) : "-" }
            for (index, projection) in one.projections.enumerated() {
                let number = one.part.first + index + 1
                let path = "\(folder)/\(name.joined())-\(projection.explanation.target.channel)-\(number).npy"
                try neurodex.write(projection.explanation.map.npy, to: path)
            }
        }
    }

    /// One sheet, or one a neuron where an image could not be sent back from each.
    func figures(of made: [Made], _ archive: ExplanationArchive) throws -> [FigureFile] {
        guard let first = made.first else { return [] }
        let names = made.map { $0.projections.map(\.subject.name) }
        let isOne = image.isEmpty || names.allSatisfy { $0 == names[0] }
        return try isOne ? [drawn(made, archive)] : [drawn([first], archive)] + made.dropFirst().map { try drawn([$0], archive) }
    }

    private func drawn(_ made: [Made], _ archive: ExplanationArchive) throws -> FigureFile {
        var sheet = ProjectionSheet()
        let pixels = size.pixels(ProjectionSheet.defaultSize)
        for one in made {
            sheet.add(
                one.projections.first?.explanation.target.neuron ?? one.part.layer.name, of: one.part.layer,
                archive.lit(one.projections), rule: method.rule, channelOrder: archive.preprocessing.channels)
        }
        let isNamed = !image.isEmpty || made.contains { !$0.part.isAll }
        let provenance = Provenance(
            command: Deconvolution.name,
            options: method.arguments
                + (isNamed
                    ? Spelling.option("--image", made[0].projections.map(\.subject.name))
                    : Spelling.option("-k", "\(count ?? Self.standardCount)") + Spelling.option("--where", condition))
                + Spelling.option("--position", position) + Spelling.option("--size", "\(pixels)"),
            operands: [store] + made.map(\.part.neuron), model: archive.store.description.model.sha256,
            of: made.flatMap(\.projections).map(\.explanation), toolVersion: Neurodex.version)
        return FigureFile(page: try sheet.page(scale: Double(pixels) / 160), provenance: provenance)
    }
}
