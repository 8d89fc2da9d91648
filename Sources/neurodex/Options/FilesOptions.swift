import ArgumentParser

/// Where the files are now that a store was made of.
struct FilesOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var images: String?
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
