import ActivationStore
import Foundation
import Indexing

/// Which files are which images.
extension IndexCommand {
    /// The images that the user names; files that he names in more than one way are said.
    func found() throws -> Dataset {
        let dataset = try Dataset(paths: images)
        if let files = dataset.repeated {
            printNote(
                "\(files.count) \(files.count == 1 ? "path leads" : "paths lead") to files that are there by another one, and count once, such as \(files.second) beside \(files.first)"
            )
        }
        if let unpacking = dataset.unpacking { printNote(unpacking) }
        return dataset
    }

    /// Says which files are in the store more than once.
    /// - Parameter twice: by two paths.
    func noteRepetitions(_ twice: Repetition?) throws {
        if let twice {
            printNote(
                "\(twice.count) \(twice.count == 1 ? "file is" : "files are") in the store by two paths, such as \(twice.first) and \(twice.second); neurodex remove \(store) PATH forgets one of them"
            )
        }
        guard let copies = try Store.open(path: store).copies(), copies.count > twice?.count ?? 0 else { return }
        printNote(
            "\(copies.count) \(copies.count == 1 ? "image is a copy" : "images are copies") of others, byte for byte, and \(copies.count == 1 ? "is" : "are") kept, such as \(copies.example.1) of \(copies.example.0)"
        )
    }

    /// What a run would do to the images of the store.
    func preview() throws {
        var status = stat()
        let existing = stat(store, &status) == 0 && status.st_size > 0 ? try Store.open(path: store) : nil
        var dataset = try found()
        if let shard = shard ?? existing?.description.shard { dataset = dataset.part(shard) }
        let plan = IndexPlan(dataset, known: try KnownFiles(existing))
        let changed = plan.items.filter { plan.replaces($0) }
        for item in changed.prefix(10) { printNote("changed, would be run anew: \(item.path)") }
        for file in plan.renamings.prefix(10) { printNote("would be renamed: \(file.from) to \(file.to)") }
        printNote(
            "\(store): \(plan.items.count - changed.count) images would be added, \(changed.count) replaced and \(plan.renamings.count) renamed, \(plan.known) are there already; nothing was changed"
        )
    }
}
