import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Indexing
import Support

/// A network's answers on images that are named, one after the other; what could not be answered is counted and said.
struct AnswerRun {
    private let run: ImageRun

    /// Of all images, folders being their files.
    var names: [String] { run.names }
    /// Whether the user ended it.
    var isStopped: Bool { run.isStopped }

    /// - Parameters:
    ///   - images: paths or ids of the network's store, other files, or folders.
    ///   - labels: where those of images that are in no store come from, as for `index`; nil for folders named as classes are.
    ///   - isCounting: whether labels that are no class count too.
    ///   - body: takes each answer, with the image's label and split.
    /// - Throws: for an image that was named and cannot be answered; of a folder it is passed over.
    init(
        _ images: [String], labels: String?, by network: any AnsweringNetwork, isCounting: Bool = false,
        body: (InputImage, ClassRanking, _ label: String?, _ split: String?) throws -> Void
    ) throws {
        let names = try ChosenImages.expanded(images, in: network.store)
        let isListed = names.count == images.count
        let items = network.store == nil ? try Self.labelled(names, labels, classes: isCounting ? nil : network.classNames) : [:]
        run = try ImageRun(names, isListed: isListed) { name in
            let (subject, standing) = try network.answer(on: name)
            let (label, split) = (subject.stored?.label ?? items[name]?.label, subject.stored?.split ?? items[name]?.split)
            try body(subject, standing, label, split)
        }
    }

    /// Labels and splits by what is said, else by the folders that files stand in, as `index` takes them.
    /// - Parameter classes: folders of other names are no labels; nil where they are.
    private static func labelled(_ files: [String], _ said: String?, classes: [String]?) throws -> [String: Dataset.Item] {
        guard let dataset = try? Dataset(paths: files) else { return [:] }
        let run = try RunLabels(dataset, said: said, kept: nil)
        if said != nil { run.notes.forEach(printNote) }
        let known = classes.map { Set($0) }
        let items = run.dataset.items.filter { item in
            said != nil || known.map { item.label.map($0.contains) ?? false } ?? true
        }
        return Dictionary(items.map { ($0.file, $0) }) { first, _ in first }
    }

    /// Says on standard error what was not answered.
    /// - Throws: `ExitCode` where anything was not.
    func report() throws { try run.report("not answered") }
}
