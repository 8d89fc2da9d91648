import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

/// `detect`: the boxes that a detector finds.
struct DetectCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "List and draw the boxes that a detector finds on images.",
        discussion: """
            Examples:

              neurodex detect yolov8n.onnx street.jpg --draw boxes.png
              neurodex detect street.sqlite photos/ --score 0.5 --format json
              neurodex occlusion street.sqlite photos/1.jpg --target box:2 -o why.png

            The network is a store's, or its own file's (ONNX). Heads of YOLOv8 to v12, YOLOv5 and v7, YOLOX, DETR, and pairs of outputs with boxes and \
            scores are found by the outputs' shapes; --head says which it is. Of a file that ends in NonMaxSuppression or TopK, what these choose from is read. Boxes are in pixels of the upright picture, cut at its edges; of those \
            of one class that overlap by more than --iou the best is kept. 'box:2' is the target of an explanation: why the second box is there.
            """)

    @Argument(help: "The store, or the network's own file (ONNX).", completion: .file())
    var store: String

    @Argument(help: "Images or folders.", completion: .images)
    var images: [String]

    @OptionGroup var head: DetectionOptions

    @Option(help: ArgumentHelp("Draw the boxes on the pictures, a PNG, SVG or PDF.", valueName: "file"), completion: .file())
    var draw: String?

    @OptionGroup var size: SizeOption
    @OptionGroup var files: FilesOptions
    @OptionGroup var output: FormatOption

    @OptionGroup(title: "Without a store")
    var bare: BareDetectorOptions

    func validate() throws { try OutputFile.check(OutputFile("--draw", draw, .picture)) }

    func run() throws {
        let network = try network()
        let detector = network.detector
        let names = try names(network)
        try refuse(drawing: names.count)
        printNote(head.note(detector))
        let found = try DetectionRun(names, isListed: names.count == images.count, network)
        printListing(try DetectionTable(pictures: found.pictures).rendered(as: output.format), besides: draw)
        found.notes(score: head.settings.score).forEach(printNote)
        if let draw {
            guard !found.pictures.isEmpty else { throw Failure("no image could be read, so nothing was drawn") }
            try write(file(found, network), to: draw)
        }
        try found.report()
    }

    func figure() throws -> FigureFile {
        let network = try network()
        let names = try names(network)
        try refuse(drawing: names.count)
        let found = try DetectionRun(names, isListed: true, network)
        guard !found.isStopped else { throw ExitCode.interrupted }
        return try file(found, network)
    }

    /// A picture names the images that are in it.
    func passes() throws -> Int {
        if let folder = images.first(where: ChosenImages.isFolder) {
            throw Failure("\(folder) is a folder, and a picture of neurodex names each of its images")
        }
        return images.count
    }

    private func names(_ network: DetectingNetwork) throws -> [String] {
        try ChosenImages.expanded(images, in: network.archive?.store)
    }

    private func refuse(drawing count: Int) throws {
        guard draw == nil || count <= DetectionFigure.most else {
            throw ValidationError("--draw draws up to \(DetectionFigure.most) images, not \(count); name fewer")
        }
    }

    private func network() throws -> DetectingNetwork {
        if BareNetworkOptions.isNetwork(store) {
            let explainer = try bare.explainer(at: store)
            return DetectingNetwork(
                explainer: explainer, archive: nil,
                detector: try Detector(explainer, names: bare.names(), settings: head.settings))
        }
        if let option = bare.used {
            throw ValidationError("\(option) is for a network's own file; a store knows how its pictures were prepared")
        }
        let archive = try files.archive(of: store)
        let explainer = try archive.explainer()
        return DetectingNetwork(
            explainer: explainer, archive: archive, detector: try explainer.detector(head.settings))
    }

    private func file(_ found: DetectionRun, _ network: DetectingNetwork) throws -> FigureFile {
        let pictures = try found.pictures.map { picture in
            DetectionFigure.Picture(
                image: try ImageReader().decode(contentsOf: picture.subject.file),
                size: picture.subject.framed.placement.source,
                title: (picture.subject.name as NSString).lastPathComponent, detections: picture.detections)
        }
        let name = URL(fileURLWithPath: network.explainer.network.path).deletingPathExtension().lastPathComponent
        let figure = DetectionFigure(
            heading: "What \(name) finds", note: head.note(network.detector), pictures: pictures,
            size: size.pixels(DetectionFigure.defaultSize))
        return FigureFile(
            page: figure.page(),
            provenance: Provenance(
                command: "detect",
                options: head.arguments + Spelling.option("--size", "\(size.pixels(DetectionFigure.defaultSize))")
                    + (network.archive == nil ? bare.arguments(of: network.explainer) : []),
                operands: [store] + found.pictures.map(\.subject.name), model: network.explainer.network.sha256,
                images: found.pictures.map { ($0.subject.name, $0.subject.digest.hexadecimal) }, toolVersion: Neurodex.version))
    }
}

/// A detector, of a store or of its own file.
struct DetectingNetwork {
    let explainer: Explainer
    /// Nil without a store.
    let archive: ExplanationArchive?
    let detector: Detector

    func subject(_ name: String) throws -> InputImage {
        try archive?.subject(name) ?? InputImage(file: name, preprocessing: explainer.preprocessing)
    }
}

/// A detector's boxes on images that are named, one after the other; what could not be read is counted and said.
struct DetectionRun {
    struct Picture {
        var subject: InputImage
        var detections: [Detection]
        /// Boxes that lie in the padding.
        var outside: Int
    }

    let pictures: [Picture]
    private let run: ImageRun

    /// Whether the user ended it.
    var isStopped: Bool { run.isStopped }

    /// - Parameter isListed: whether an image that cannot be read is an error; else it is passed over.
    init(_ names: [String], isListed: Bool, _ network: DetectingNetwork) throws {
        var pictures: [Picture] = []
        run = try ImageRun(names, isListed: isListed) { name in
            let subject = try network.subject(name)
            let found = try network.detector.findings(on: subject)
            pictures.append(Picture(subject: subject, detections: found.detections, outside: found.outside))
        }
        self.pictures = pictures
    }

    /// What the table does not show.
    func notes(score: Float) -> [String] {
        var notes: [String] = []
        let empty = pictures.filter(\.detections.isEmpty)
        if let first = empty.first {
            notes.append(
                "\(empty.count) of \(pictures.count) \(pictures.count == 1 ? "image has" : "images have") no box of a score of \(score) or more, such as \(first.subject.name)"
            )
        }
        let outside = pictures.reduce(0) { $0 + $1.outside }
        if outside > 0 {
            notes.append(
                "\(outside) \(outside == 1 ? "box lies" : "boxes lie") outside the picture and \(outside == 1 ? "is" : "are") left out"
            )
        }
        return notes
    }

    /// Says on standard error what was not read.
    /// - Throws: `ExitCode` where anything was not.
    func report() throws { try run.report("not looked at") }
}
