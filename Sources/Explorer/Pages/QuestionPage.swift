import ActivationStore
import Pages
import Search
import Support

extension Explorer {
    /// Any question at its own address: `/contrast?a=…`, `/similar/12?k=9`.
    func asked<Q: Query>(_: Q.Type, _ wanted: Wanted) throws -> Answer {
        var wanted = wanted
        if Q.name == ContrastQuery.name { wanted.address.query = try Self.ticked(wanted.address.query) }
        var (operands, fields) = (Array(wanted.address.path.dropFirst()), wanted.question)
        // What a form cannot write into the path.
        if operands.isEmpty, let place = fields.firstIndex(where: { $0.name == "operand" }) {
            let value = fields.remove(at: place).value
            operands = value.isEmpty ? [] : [value]
        }
        let isAsked = !operands.isEmpty || fields.contains { !$0.value.isEmpty }
        let query: Q
        do {
            query = try AddressedQuestion.parse(Q.self, operands: operands, fields: fields)
        } catch let refusal as Refusal where !isAsked && wanted.isPage && !refusal.isHelp {
            // Nothing is asked yet.
            let empty = wanted
            var page = Answer(title: Self.title(of: Q.name), kind: Q.name, command: "neurodex \(Q.name) \(store.path)") {
                self.form(Q.self, empty)
                HTML(.pre) { Q.discussion }
            }
            page.subtitle = Q.abstract
            return page
        }
        let (limited, asked) = (try looking(limited(query)), wanted)
        var page = Answer(
            title: Self.title(of: Q.name), kind: Q.name, command: AddressedQuestion.command(query, store: store.path)
        ) {
            let report = try limited.report(from: self.store)
            self.form(Q.self, asked)
            self.remarks(report.remarks)
            HTML(.section, .class("card")) {
                if report.listing.table.rows.isEmpty {
                    HTML(.p) { "Nothing is listed. Ask for more, or by another condition." }
                }
                self.crops(report.listing)
            }
            if let contrast = query as? ContrastQuery { try self.mirrored(contrast, report.listing) }
        }
        page.subtitle = Q.abstract
        page.address = wanted.address
        page.listing = { try limited.report(from: self.store).listing }
        return page
    }

    /// A question that looks at pictures, with these.
    func looking<Q: Query>(_ query: Q) throws -> Q { try query.looking { try pictures.given() } }

    /// Statements of a page take less than those of a terminal may.
    private func limited<Q: Query>(_ query: Q) -> Q {
        guard var statement = query as? SQLQuery else { return query }
        statement.timeLimit = min(statement.timeLimit, 20)
        statement.memoryLimit = min(statement.memoryLimit, 256)
        return statement as? Q ?? query
    }

    private func form<Q: Query>(_: Q.Type, _ wanted: Wanted) -> HTML {
        let address = wanted.address
        let operand = address.path.count > 1 ? address.path[1] : address["operand"]
        let known: [String: [(String, String, String)]] = [
            "contrast": [
                ("Images of A", "a", "label = 'cat'"), ("of B", "b", "all others"), ("layer", "layer", "all"), ("k", "k", "10"),
            ],
            "suspects": [("where", "where", "split = 'train'"), ("layer", "layer", "the last but the scores"), ("k", "k", "10")],
            "shortcuts": [("k", "k", "10")],
        ]
        return HTML(.form, .class("ask"), Attribute("action", Address(Q.name))) {
            if Q.name == SQLQuery.name {
                HTML(.label, .class("long")) {
                    "A statement that reads"
                    HTML(.textarea, .name("operand"), Attribute("spellcheck", "false")) {
                        operand ?? "SELECT label, count(*) FROM image_info GROUP BY label"
                    }
                }
            } else if !Q.usage.isEmpty, known[Q.name] == nil {
                Self.field(Q.usage, "operand", operand, isLong: true)
            }
            for (title, name, hint) in known[Q.name] ?? [] {
                Self.field(title, name, address[name], hint: hint, isLong: ["a", "b", "where"].contains(name))
            }
            HTML(.button, .class("primary")) { "Ask" }
        }
    }

    /// One box over layers, neurons, classes, labels and images.
    func find(_ wanted: Wanted) throws -> Answer {
        let text = wanted.address["text"] ?? ""
        let found = try found(text)
        var page = Answer(
            title: text.isEmpty ? "Find" : "Found for “\(text)”", kind: "find", command: "neurodex info \(store.path)"
        ) {
            HTML(.section, .class("card")) {
                HTML(.ul, .class("chips")) { found }
                if found.isEmpty {
                    HTML(.p) {
                        "No layer, class, label or image is called so. A part of a name is enough; images by path or id."
                    }
                }
            }
        }
        page.subtitle = "Layers, neurons, classes, labels, images and notes"
        return page
    }

    private func found(_ text: String) throws -> [HTML] {
        guard !text.isEmpty else { return [] }
        let (description, folded) = (store.description, text.lowercased())
        func has(_ name: String) -> Bool { name.lowercased().contains(folded) }
        var found: [HTML] = []
        if let neuron = try? NeuronReference(text, in: description), neuron.neurons.count == 1 {
            found.append(Self.chip(text, "neuron", Address("neuron", text)))
        }
        found += description.layers.filter { has($0.name) }.prefix(50).map {
            Self.chip($0.name, "layer", Address("layer", $0.name))
        }
        if let logits = description.layers.last(where: { $0.isLogits }) {
            found += description.classes.indices.filter { has(description.classes[$0]) }.prefix(50).map {
                Self.chip(description.classes[$0], "class", Address("neuron", "\(logits.name):\($0)"))
            }
        }
        found += try store.summary().labels.filter { has($0.name) }.prefix(50).map {
            Self.chip($0.name, "label of \($0.images)", Self.images(label: $0.name))
        }
        found += notes(having: text).prefix(50).map { note in
            Self.chip(
                note.neuron, [note.name, note.note].filter { !$0.isEmpty }.joined(separator: ": "), Address("neuron", note.neuron)
            )
        }
        if let image = try? store.image(named: text) {
            found.append(Self.chip(Self.fileName(image.path), "image", Address("image", "\(image.id)")))
        }
        return found
    }
}
