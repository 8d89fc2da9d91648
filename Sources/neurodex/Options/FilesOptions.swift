import ActivationStore
import ArgumentParser
import Explanations

/// Where the files are now that a store was made of.
struct FilesOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var images: String?

    /// The explanations of a store, with its files where they are now.
    /// - Parameter keeps: whether the store is asked for what it keeps, and given what is made.
    func archive(of store: String, keeps: Bool = false) throws -> ExplanationArchive {
        try ExplanationArchive(
            store: try Store.open(path: store), model: model, images: images, keeps: keeps, toolVersion: Neurodex.version)
    }
}

/// A command that draws what the store's network makes of its images.
protocol StoredFilesCommand: FigureCommand {
    var files: FilesOptions { get set }
}

extension StoredFilesCommand {
    var model: String? {
        get { files.model }
        set { files.model = newValue }
    }

    var imagesFolder: String? {
        get { files.images }
        set { files.images = newValue }
    }
}
