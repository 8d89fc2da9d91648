import ActivationStore
import ArgumentParser
import Explorer
import Foundation
import Search
import Support

struct SiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site",
        abstract: "Write the pages of a store to a folder, for any web server or to be opened where they are.",
        discussion: """
            Examples:

              neurodex site shop.sqlite -o pages
              neurodex site shop.sqlite -o pages --layers conv4 --layers conv5 --most-images 200

            The overview, the layers with their strongest crops, a page for each neuron, and one for each image that these show, as \
            'neurodex serve' shows them, without what needs a server. What is left out by the limits is said. Pages need no script and \
            load nothing from elsewhere; open index.html, or put the folder on a web server.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("The folder; made if it is not there, and empty if it is.", valueName: "folder"),
        completion: .directory)
    var out: String

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Only this layer; may be repeated (default: all).", valueName: "layer"), completion: .layers)
    var layers: [String] = []

    @Option(help: ArgumentHelp("Neurons that get a page at most, in the order of the layers.", valueName: "count"))
    var mostNeurons = 1000

    @Option(help: ArgumentHelp("Images that get a page at most, of those that the other pages show.", valueName: "count"))
    var mostImages = 1000

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    func validate() throws {
        guard !out.isEmpty else { throw ValidationError("-o takes the name of a folder") }
        for (name, value) in [("--most-neurons", mostNeurons), ("--most-images", mostImages)] where value < 0 {
            throw ValidationError("\(name) takes a count of 0 or more, not \(value)")
        }
    }

    func run() throws {
        let files = FileManager.default
        let there = (try? files.contentsOfDirectory(atPath: out)) ?? []
        guard there.isEmpty else {
            throw Failure("\(out) is not empty: it has \(there.sorted()[0]); name a new folder, or empty it first")
        }
        let opened = try Store.open(path: store)
        let explorer = try Explorer(
            opened, options: Explorer.Options(images: imagesFolder, keeps: false), commands: ServeCommand.commands, port: 0)
        let pages = try SitePages(explorer, layers: layers, neurons: mostNeurons, images: mostImages)
        do {
            try files.createDirectory(atPath: out + "/pictures", withIntermediateDirectories: true)
        } catch {
            throw Failure("\(out) cannot be made: \(error.localizedDescription)")
        }
        let summary = try write(pages)
        tell(summary)
        if summary.missing > 0 { throw ExitCode.someSkipped }
    }

    private func write(_ pages: SitePages) throws -> SitePages.Summary {
        let (bar, start) = (ProgressBar(), ContinuousClock.now)
        let summary = try pages.run(
            write: { name, data in
                do {
                    try data.write(to: URL(fileURLWithPath: out + "/" + name))
                } catch {
                    throw Failure("\(out)/\(name) cannot be written: \(error.localizedDescription)")
                }
            },
            progress: { done, total in
                bar.update(done: done, total: total, seconds: (ContinuousClock.now - start) / .seconds(1), unit: "pages")
            })
        bar.clear()
        return summary
    }

    private func tell(_ summary: SitePages.Summary) {
        printNote(
            "\(out)/index.html: pages of \(summary.layers) layers, \(summary.neurons) neurons and \(summary.images) images, \(summary.pictures) pictures, \((summary.bytes + 500_000) / 1_000_000) MB"
        )
        if summary.neuronsLeftOut > 0 {
            printNote(
                "\(summary.neuronsLeftOut) neurons have no page; --most-neurons \(mostNeurons + summary.neuronsLeftOut) makes them"
            )
        }
        if summary.imagesLeftOut > 0 {
            printNote(
                "\(summary.imagesLeftOut) images that are shown have no page; --most-images \(mostImages + summary.imagesLeftOut) makes them"
            )
        }
        if summary.missing > 0 {
            printNote(
                "\(summary.missing) pictures are missing: their files have gone or changed, and the store has no thumbnails of them; --images FOLDER says where they are now"
            )
        }
    }
}
