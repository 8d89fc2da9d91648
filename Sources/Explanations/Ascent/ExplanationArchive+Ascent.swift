import ActivationStore
import Foundation
public import Images
import Indexing
import NeuralNetwork
import Search
import Support

/// Pictures made by ascent, and how it went.
public struct AscentOutcome: Sendable {
    public var record: AscentRecord
    /// The network's inputs that the pictures are: pictures · channels × height × width.
    public var map: ExplanationMap
    public var pictures: [Image]
    /// The image that it began with: path and SHA-256.
    public var start: (path: String, sha256: String)?
    /// Whether it was kept in the store already.
    public var wasKept: Bool

    /// All pictures with their objectives under them, in rows of up to four.
    /// - Parameters:
    ///   - size: the longer side of each, in pixels.
    ///   - margin: around it; nil for that of a page of its own.
    public func page(size: Int, margin: Double? = nil) -> Page {
        let side = Double(Figure.defaultSize) / 2
        let cells = pictures.enumerated().map { index, picture in
            let (first, last) = (record.first.indices.contains(index) ? record.first[index] : .nan, record.last[index])
            return ContactSheet.Cell(
                image: picture,
                caption: ["\(Figure.number(Float(first))) → \(Figure.number(Float(last)))" + (last > first ? "" : ", not risen")])
        }
        var sheet = ContactSheet(
            title: record.objective, subtitle: record.caption, cells: cells, columns: min(4, cells.count), cellSize: side)
        sheet.isSmooth = true
        if let margin { sheet.margin = margin }
        return sheet.page(scale: Double(size) / side)
    }

    /// Whether no picture has more of the objective than it began with.
    public var hasNotRisen: Bool { !zip(record.first, record.last).contains { $0 < $1 } }

    /// - Precondition: there is a picture.
    public static func sheet(_ pictures: [Image]) -> Image {
        precondition(!pictures.isEmpty, "a sheet of no pictures")
        guard pictures.count > 1 else { return pictures[0] }
        let (width, height, gap) = (pictures[0].width, pictures[0].height, 4)
        let columns = min(4, pictures.count)
        let rows = (pictures.count + columns - 1) / columns
        var sheet = Image(
            width: columns * (width + gap) - gap, height: rows * (height + gap) - gap, fill: Color(hex: 0xFFFFFF))
        for (index, picture) in pictures.enumerated() {
            sheet.blit(picture, x: index % columns * (width + gap), y: index / columns * (height + gap))
        }
        return sheet
    }
}

extension ExplanationArchive {
    /// Climbs an objective, or gives the pictures that are kept of the same climb.
    ///
    /// - Parameters:
    ///   - style: what the settings were made by; for the record.
    ///   - isAnew: climb even where the pictures are kept, as for snapshots.
    ///   - progress: as of `Ascent.run`; what was ended by it is not kept.
    /// - Throws: as `Ascent`.
    public func ascent(
        of objective: Objective, settings: AscentSettings, style: AscentStyle, isAnew: Bool = false,
        progress: (Ascent.Progress) throws -> Bool = { _ in true }
    ) throws -> AscentOutcome {
        try settings.validate()
        let start = try Ascent.startSubject(of: objective, settings, store: store, preprocessing: preprocessing, files: files)
        let arguments = settings.arguments(style: style)
        let key = key("ascend", arguments, target: objective.key, image: start?.digest)
        let origin = start.map { ($0.name, $0.digest.hexadecimal) }
        if !isAnew, let known = try keptAscent(key, origin) { return known }
        let ascent = try Ascent(objective, settings: settings, explainer: try explainer())
        let clock = ContinuousClock.now
        var isStopped = false
        let result = try ascent.run(from: start?.tensor) { step in
            isStopped = try !progress(step)
            return !isStopped
        }
        let model = store.description.model
        let record = AscentRecord(objective, settings, style, result, model: model.sha256, version: toolVersion)
        let made = outcome(record, Self.map(of: result.tensors, preprocessing), origin, wasKept: false)
        guard !isStopped else { return made }
        let provenance = Provenance(
            command: "ascend", options: arguments + Spelling.option("--size", "\(Figure.defaultSize / 2)"),
            operands: [store.path, objective.text], model: model.sha256,
            images: origin.map { [$0] } ?? [],
            facts: record.facts, toolVersion: toolVersion)
        try keep(
            ExplanationRecord(
                key: key, method: "ascend", arguments: arguments, target: objective.text, image: start?.name,
                imageSHA256: start?.digest, value: result.last.max(), note: nil, channels: made.map.channels,
                height: made.map.height, width: made.map.width, isSigned: true, map: made.map.values,
                picture: Data(try made.page(size: Figure.defaultSize / 2).rendered().pngData(text: provenance.text)),
                record: try record.json(),
                seconds: (ContinuousClock.now - clock).seconds, toolVersion: toolVersion))
        return made
    }

    /// The pictures that are kept of a climb; nil where it would have to be made.
    /// - Throws: as `ascent`.
    public func keptAscent(of objective: Objective, settings: AscentSettings, style: AscentStyle) throws -> AscentOutcome? {
        let start = try Ascent.startSubject(of: objective, settings, store: store, preprocessing: preprocessing, files: files)
        let key = key("ascend", settings.arguments(style: style), target: objective.key, image: start?.digest)
        return try keptAscent(key, start.map { ($0.name, $0.digest.hexadecimal) })
    }

    private func keptAscent(_ key: Data, _ origin: (path: String, sha256: String)?) throws -> AscentOutcome? {
        guard let kept = try kept(key), let json = kept.record,
            let record = try? JSONDecoder().decode(AscentRecord.self, from: Data(json.utf8))
        else { return nil }
        return outcome(record, ExplanationMap(kept), origin, wasKept: true)
    }

    private static func map(of tensors: [[Float]], _ preprocessing: Preprocessing) -> ExplanationMap {
        let (height, width) = (preprocessing.crop.height, preprocessing.crop.width)
        let channels = preprocessing.channelCount
        let planes = tensors.flatMap {
            ExplanationMap(channelsLast: $0, channels: channels, height: height, width: width, isSigned: true).values
        }
        return ExplanationMap(
            channels: channels * tensors.count, height: height, width: width, values: planes, isSigned: true)
    }

    private func outcome(
        _ record: AscentRecord, _ map: ExplanationMap, _ start: (path: String, sha256: String)?, wasKept: Bool
    ) -> AscentOutcome {
        let (channels, pixels) = (preprocessing.channelCount, map.height * map.width)
        let pictures = (0..<map.channels / channels).map { index in
            let first = index * channels * pixels
            return preprocessing.picture(
                of: (0..<channels * pixels).map { map.values[first + $0 % channels * pixels + $0 / channels] })
        }
        return AscentOutcome(record: record, map: map, pictures: pictures, start: start, wasKept: wasKept)
    }
}
