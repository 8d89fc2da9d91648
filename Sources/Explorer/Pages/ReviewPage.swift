import ActivationStore
import Foundation
import Pages
import Search
import Support

/// `/review`: suspects and shortcuts as cards that are decided, one after the other.
extension Explorer {
    private static let reviewFields = ["kind", "k", "where", "show"]
    private static let mostText = 4000

    func review(_ wanted: Wanted) throws -> Answer {
        if let field = wanted.question.first(where: { !Self.reviewFields.contains($0.name) }) {
            throw Refusal(sentence: "review takes kind, k, where and show, not '\(field.name)'")
        }
        let kindName = wanted.address["kind"] ?? "suspect"
        guard let kind = Decision.Kind(rawValue: kindName) else {
            throw Refusal(sentence: "kind is suspect or shortcut, not '\(kindName)'")
        }
        let count = wanted.address["k"].flatMap { $0.isEmpty ? nil : $0 } ?? "20"
        let condition = wanted.address["where"].flatMap { $0.isEmpty ? nil : $0 }
        let contents = try reviews.read()
        let fields = [Address.Field("k", count)] + (condition.map { [Address.Field("where", $0)] } ?? [])
        let asked = kind == .suspect ? fields : [fields[0]]
        let command: String
        let cards: () throws -> [HTML]
        switch kind {
        case .suspect:
            let query = try AddressedQuestion.parse(SuspectsQuery.self, operands: [], fields: asked)
            command = AddressedQuestion.command(query, store: store.path)
            cards = { try self.suspects(query, contents, wanted) }
        case .shortcut:
            let query = try AddressedQuestion.parse(ShortcutsQuery.self, operands: [], fields: asked)
            command = AddressedQuestion.command(query, store: store.path)
            cards = { try self.shortcuts(query, contents, wanted) }
        }
        var page = Answer(title: "Review", kind: "review", command: command) {
            self.reviewForm(wanted, kind, contents)
            let shown = try cards()
            if shown.isEmpty {
                HTML(.p, .class("note")) { "Nothing is left to decide here. Ask for more, or show all, or the other kind." }
            }
            HTML(.div, .class("cards review")) { shown }
            self.neuronNotes(contents)
        }
        page.subtitle = "Kept in \(reviews.path); the store stays as it is"
        page.address = wanted.address
        page.listing = { Rows(contents.decisions) }
        return page
    }

    private func reviewForm(_ wanted: Wanted, _ kind: Decision.Kind, _ contents: ReviewFile.Contents) -> HTML {
        let decided = contents.decisions.filter { $0.kind == kind }
        let counts = Decision.Answer.allCases.map { answer in
            "\(decided.count { $0.answer == answer }) \(answer == .skip ? "skipped" : answer.rawValue)"
        }.joined(separator: ", ")
        return HTML(.div) {
            HTML(.form, .class("ask"), Attribute("action", Address("review"))) {
                Self.choice(
                    "What", "kind", kind.rawValue,
                    [("suspect", "labels that may be wrong"), ("shortcut", "neurons that tell a label by a mark")])
                Self.choice("Show", "show", wanted.address["show"], [("open", "what is undecided"), ("all", "all")])
                Self.field("How many", "k", wanted.address["k"] ?? "20", type: "number")
                if kind == .suspect {
                    Self.field("Where", "where", wanted.address["where"], hint: "split = 'train'", isLong: true)
                }
                HTML(.button, .class("primary")) { "Show" }
            }
            HTML(.p, .class("quiet")) {
                "Decided: \(counts). Keys: y yes, n no, s skip. "
                HTML(.a, .href(Address("review.csv"))) { "CSV" }
                " · "
                HTML(.a, .href(Address("review", "tasks.json"))) { "Label Studio tasks" }
            }
        }
    }

    private func suspects(_ query: SuspectsQuery, _ contents: ReviewFile.Contents, _ wanted: Wanted) throws -> [HTML] {
        let report = try query.report(from: store)
        let hits = (report.listing as? Rows<SuspectsQuery.Hit>)?.rows ?? []
        return hits.compactMap { hit in
            let known = contents.decisions.first { $0.kind == .suspect && $0.image == hit.image && $0.label == hit.label }
            guard wanted.address["show"] == "all" || known == nil else { return nil }
            let fields = [("kind", "suspect"), ("image", hit.image), ("label", hit.label), ("suggested", hit.suggested)]
            return card(fields, known) {
                tile(hit.imageID, alt: "The image \(Self.fileName(hit.image))", lines: [Self.fileName(hit.image)])
                HTML(.div) {
                    HTML(.h3) { "Is it no \(hit.label), but \(hit.suggested)?" }
                    HTML(.p) { "Suspicion \(shortNumber(hit.score))" }
                    if !hit.witnesses.isEmpty {
                        HTML(.p, .class("quiet")) {
                            "Neurons that say so: "
                            for witness in hit.witnesses {
                                HTML(.a, .href(Address("neuron", witness.description))) {
                                    neuronName(witness.layer, witness.channel)
                                }
                                " "
                            }
                        }
                    }
                }
            }
        }
    }

    private func shortcuts(_ query: ShortcutsQuery, _ contents: ReviewFile.Contents, _ wanted: Wanted) throws -> [HTML] {
        let report = try looking(query).report(from: store)
        let hits = (report.listing as? Rows<ShortcutsQuery.Hit>)?.rows ?? []
        return try hits.compactMap { hit in
            let neuron = "\(hit.layer):\(hit.channel)"
            let known = contents.decisions.first { $0.kind == .shortcut && $0.neuron == neuron && $0.label == hit.label }
            guard wanted.address["show"] == "all" || known == nil else { return nil }
            let strongest = try TopQuery(neurons: [neuron], count: 4).run(in: store)
            return card([("kind", "shortcut"), ("neuron", neuron), ("label", hit.label)], known) {
                HTML(.div) {
                    HTML(.h3) {
                        "Does "
                        HTML(.a, .href(Address("neuron", neuron))) { neuronName(hit.layer, hit.channel) }
                        " tell \(hit.label) by a \(hit.place.kind == .tint ? "tint" : "mark")?"
                    }
                    HTML(.p) { Self.evidence(of: hit) }
                    HTML(.div, .class("tiles")) {
                        for one in strongest { tile(one.imageID, alt: "The image \(Self.fileName(one.image))", lines: []) }
                    }
                }
            }
        }
    }

    private static func evidence(of hit: ShortcutsQuery.Hit) -> String {
        let (share, expected) = (String(format: "%.0f %%", hit.share * 100), String(format: "%.0f %%", hit.expected * 100))
        let auroc = String(format: "AUROC %.3f", hit.auroc)
        switch hit.place.kind {
        case .place: return "\(share) of them have their maximum \(hit.place.rawValue), where \(expected) would; \(auroc)"
        case .mark: return "\(share) of them have the same patch of pixels at their maximum, and \(expected) of others; \(auroc)"
        case .tint: return "\(share) of them have one tint all over, and \(expected) of others; \(auroc)"
        }
    }

    private func card(_ fields: [(String, String)], _ known: Decision?, @HTMLBuilder _ content: () throws -> HTML) rethrows
        -> HTML
    {
        let query = fields.map { Address.Field($0.0, $0.1) }
        return try HTML(.article, .class("card"), Attribute("data-review"), Attribute("tabindex", "0")) {
            try content()
            HTML(
                .form, .class("decision"), Attribute("method", "post"),
                Attribute("action", Address(path: ["review"], query: query))
            ) {
                for answer in Decision.Answer.allCases {
                    HTML(
                        .button,
                        Attribute("formaction", Address(path: ["review"], query: query + [.init("answer", answer.rawValue)])),
                        Attribute("data-answer", answer.rawValue),
                        Attribute("aria-pressed", known?.answer == answer ? "true" : "false")
                    ) { answer.rawValue }
                }
                HTML(.label, .class("long")) {
                    "Note"
                    HTML(
                        .input, .name("note"), .value(known?.note ?? ""), Attribute("maxlength", Self.mostText),
                        Attribute("autocomplete", "off"))
                }
            }
        }
    }

    private func neuronNotes(_ contents: ReviewFile.Contents) -> HTML {
        guard !contents.neurons.isEmpty else { return HTML() }
        return HTML(.section, .class("card")) {
            HTML(.h2) { "Neurons with names and notes" }
            for note in contents.neurons {
                HTML(.p) {
                    HTML(.a, .href(Address("neuron", note.neuron))) { note.neuron }
                    " "
                    HTML(.b) { note.name }
                    " " + note.note
                }
            }
        }
    }

    // MARK: Names

    /// `conv4:3`, with the name that somebody gave it.
    func neuronName(_ layer: String, _ channel: Int) -> String {
        let name = reviews.note(of: layer, channel)?.name ?? ""
        return name.isEmpty ? "\(layer):\(channel)" : "\(layer):\(channel) “\(name)”"
    }

    /// Where a neuron is given a name and a note.
    func nameForm(_ layer: LayerRecord, _ channel: Int) -> HTML {
        let note = reviews.note(of: layer.name, channel)
        let address = Address(path: ["review", "neuron"], query: [.init("neuron", "\(layer.name):\(channel)")])
        return HTML(.div) {
            HTML(.h2) { "Its name and note" }
            if let note, !note.note.isEmpty { HTML(.p) { note.note } }
            HTML(.form, .class("ask"), Attribute("method", "post"), Attribute("action", address)) {
                Self.field("Name", "name", note?.name, hint: "eyes of cats")
                Self.field("Note", "note", note?.note, hint: "what you saw", isLong: true)
                HTML(.button) { "Keep" }
            }
        }
    }

    // MARK: Changing

    /// What a form of a page asks to be kept; nil for an address that keeps nothing.
    func kept(_ address: Address, _ form: [Address.Field]) throws -> Response? {
        var given = address
        given.query += form
        for field in given.query where field.value.utf8.count > Self.mostText {
            throw Refusal(sentence: "\(field.name) is longer than \(Self.mostText) bytes")
        }
        switch address.path {
        case ["review"]: return try keepDecision(given)
        case ["review", "neuron"]: return try keepNote(given)
        default: return nil
        }
    }

    /// What a browser sends of a form behind a request's head.
    static func form(_ request: Request) -> [Address.Field] {
        String(validating: request.body, as: UTF8.self).flatMap { Address(target: "/?" + $0) }?.query ?? []
    }

    /// The bytes that a form of a page may have.
    static let mostForm = 32 << 10

    private func keepDecision(_ given: Address) throws -> Response {
        guard let kind = Decision.Kind(rawValue: given["kind"] ?? ""),
            let answer = Decision.Answer(rawValue: given["answer"] ?? ""),
            let label = given["label"]
        else { throw Refusal(sentence: "a decision has a kind (suspect or shortcut), a label, and an answer (yes, no or skip)") }
        var decision = Decision(
            kind: kind, label: label, suggested: given["suggested"], answer: answer, note: given["note"] ?? "",
            decided: Date().ISO8601Format())
        switch kind {
        case .suspect:
            let image = try store.image(named: given["image"] ?? "")
            (decision.image, decision.sha256) = (image.path, image.sha256.hexadecimal)
        case .shortcut: decision.neuron = try Self.neuron(given["neuron"], in: store)
        }
        try reviews.change { contents in
            contents.decisions.removeAll { $0.isOf(decision) }
            contents.decisions.append(decision)
        }
        return back(to: Address(path: ["review"], query: [.init("kind", kind.rawValue)]))
    }

    private func keepNote(_ given: Address) throws -> Response {
        let neuron = try Self.neuron(given["neuron"], in: store)
        let (name, note) = (given["name"] ?? "", given["note"] ?? "")
        try reviews.change { contents in
            contents.neurons.removeAll { $0.neuron == neuron }
            guard !name.isEmpty || !note.isEmpty else { return }
            contents.neurons.append(NeuronNote(neuron: neuron, name: name, note: note, decided: Date().ISO8601Format()))
            contents.neurons.sort { $0.neuron < $1.neuron }
        }
        return back(to: Address("neuron", neuron))
    }

    private static func neuron(_ name: String?, in store: Store) throws -> String {
        let reference = try NeuronReference(name ?? "", in: store.description)
        guard reference.neurons.count == 1 else { throw QueryError.oneNeuron(name ?? "") }
        return "\(reference.layer.name):\(reference.neurons.lowerBound - reference.layer.firstNeuron)"
    }

    private func back(to address: Address) -> Response {
        var response = Response(.seeOther, type: "text/plain; charset=utf-8", body: Data())
        response.headers["Location"] = Linking.link(address)
        return response
    }

    /// `/review/tasks.json`: the suspects that were decided, for Label Studio.
    func reviewTasks() throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let tasks = try reviews.read().decisions.compactMap { LabelStudioTask($0, model: store.description.model.name) }
        return Response(type: "application/json", body: try encoder.encode(tasks))
    }

    /// Neurons whose name or note has the text.
    func notes(having text: String) -> [NeuronNote] {
        let folded = text.lowercased()
        return ((try? reviews.read())?.neurons ?? []).filter { ($0.name + " " + $0.note).lowercased().contains(folded) }
    }
}
