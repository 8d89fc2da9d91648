import ActivationStore
import Explanations
import Foundation
import Images
import Search
import Support

/// What the report is of: the network, how pictures become its input, the store, and every command that made it.
struct IdentitySection: SectionMaker {
    let id = "identity"
    let title = "What this report is of"
    let explanation = """
        A report is worth as much as it can be traced. The network is named by the SHA-256 of its file, the pictures by theirs (in the \
        section on data), and the store by a SHA-256 over all that it says of images and activations. Whoever has files with the same hashes can \
        make every number of this report again.
        """

    private struct Run: TableRow {
        var run: StoreSummary.Run

        static let columns: [ListColumn<Run>] = list {
            column("started", \.run.started)
            column("finished", \.run.finished)
            column("status", \.run.status)
            column("images") { $0.run.imagesDone }
            column("skipped") { $0.run.imagesSkipped }
            column("tool") { "neurodex " + $0.run.toolVersion }
            column("command") { Spelling.line(["neurodex"] + $0.run.arguments) }
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let (description, model) = (ground.description, ground.description.model)
        let summary = try ground.store.summary()
        let layers = description.layers.count
        section.add(
            "facts",
            ReportTable(
                "The network, its input and the store",
                [
                    Fact("Network", model.name), Fact("File", fileName(model.path)),
                    Fact("SHA-256 of the network", model.sha256), Fact("ONNX opset", "\(model.opset)"),
                    Fact(
                        "Input", "\(model.inputChannels) × \(model.inputHeight) × \(model.inputWidth) (channels, height, width)"),
                    Fact("Precision", model.precision ?? "float32"),
                    Fact("Classes", Self.classes(description.classes)),
                    Fact("Preprocessing", ground.archive.preprocessing.summary),
                    Fact("SHA-256 of the preprocessing", description.preprocessingHash),
                    Fact("Recorded", "\(description.neuronCount) neurons of \(layers) \(layers == 1 ? "layer" : "layers")"),
                    Fact("Images", "\(summary.images)"),
                    Fact("SHA-256 of the store's contents", try Self.checksum(ground.store)),
                ]))
        section.add("runs", ReportTable("Every command that wrote to the store", summary.runs.map { Run(run: $0) }))
        let verification = try ground.store.verify()
        let faults = verification.findings.count + verification.unlisted
        guard faults == 0 else {
            section.add("faults", .list(verification.findings.prefix(10).map { $0 }))
            return [
                Finding(.alarm, "The store is damaged: \(faults) \(faults == 1 ? "fault was" : "faults were") found in it.")
            ]
        }
        section.add(
            "soundness",
            .text(
                "The store is sound: \(verification.activationRows) blocks of activations, \(verification.statistics) "
                    + "statistics and "
                    + "\(verification.topEntries) list entries were read and agree with their checksums and with each other."))
        return []
    }

    private static func classes(_ names: [String]) -> String {
        guard !names.isEmpty else { return "their names are not known" }
        return "\(names.count): " + names.prefix(6).joined(separator: " · ") + (names.count > 6 ? " · …" : "")
    }

    /// Of the description and of the checksums of every image and every block, in order: kept explanations do not change it.
    private static func checksum(_ store: Store) throws -> String {
        try store.read { snapshot in
            var hash = SHA256()
            for sql in [
                "SELECT value FROM meta WHERE key = 'description_checksum'", "SELECT checksum FROM image ORDER BY id",
                "SELECT checksum FROM activation_block ORDER BY id", "SELECT checksum FROM mean_block ORDER BY id",
            ] {
                var bytes = Data()
                try snapshot.rows(sql) { row in
                    withUnsafeBytes(of: row.int64(0).littleEndian) { bytes.append(contentsOf: $0) }
                    if bytes.count >= 1 << 16 {
                        hash.update(data: bytes)
                        bytes.removeAll(keepingCapacity: true)
                    }
                }
                hash.update(data: bytes + Data([0x0A]))
            }
            return hash.finalize().hexadecimal
        }
    }
}
