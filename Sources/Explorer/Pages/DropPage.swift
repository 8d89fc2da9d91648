import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Pages
import Search
import Support

/// What the network says of a picture that the store does not have.
struct DroppedLook: Sendable {
    /// Nil of a network without classes.
    var standing: ClassRanking?
    var activations: GivenImage
}

extension ExplanationDesk {
    /// - Throws: as ``made(_:for:)-(ExplanationOrder,_)``.
    func look(at hash: String, for connection: Connection) throws -> DroppedLook {
        if let known = looks[hash] { return known }
        let value = try queue.value("look\0\(hash)", for: connection) { _ in
            let look = try self.using(.dropped(hash)) { archive in
                let subject = try self.subject(.dropped(hash))
                return DroppedLook(
                    standing: archive.classRanking(of: subject), activations: try self.activations(on: subject))
            }
            self.looks.put(look, hash)
            return look
        }
        guard let look = value as? DroppedLook else { preconditionFailure("a look of another type") }
        return look
    }
}

extension Explorer {
    /// The pictures of a form, or one that is sent alone; nil of a request that sends none.
    func dropped(_ request: Request) throws -> Response {
        let type = request.headers["content-type"] ?? ""
        let files: [Multipart.File]
        if type.lowercased().hasPrefix("multipart/") {
            guard let read = Multipart.files(in: request.body, type: type, most: UploadShelf.mostAtOnce) else {
                throw Refusal(sentence: "the form could not be read, or has more than \(UploadShelf.mostAtOnce) pictures")
            }
            files = read
        } else {
            let name = Address(target: request.target)?["name"] ?? "picture"
            files = request.body.isEmpty ? [] : [Multipart.File(name: Self.fileName(name), bytes: request.body)]
        }
        guard !files.isEmpty else { throw Refusal(sentence: "no picture was sent: choose a file of \(ContentKind.decoded)") }
        let items = files.map { file -> UploadShelf.Item in
            do {
                _ = try InputImage(file.name, bytes: file.bytes, preprocessing: store.preprocessing())
                return UploadShelf.Item(name: file.name, hash: desk.uploads.put(.init(name: file.name, bytes: file.bytes)))
            } catch {
                return UploadShelf.Item(name: file.name, refusal: "\(error)")
            }
        }
        var response = Response(.seeOther, type: "text/plain; charset=utf-8", body: Data())
        response.headers["Location"] = Linking.link(Address("drop", desk.uploads.put(items)))
        return response
    }

    /// `/drop`: a form for pictures; `/drop/ID`: what the network says of those that were sent.
    func drop(_ wanted: Wanted, _ connection: Connection) throws -> Answer {
        if let field = wanted.question.first { throw Refusal(sentence: "drop takes no '\(field.name)'") }
        guard wanted.address.path.count == 2 else {
            var page = Answer(title: "Drop pictures", kind: "drop", command: "neurodex predict \(store.path) picture.jpg") {
                self.dropForm
            }
            page.subtitle = "Shown beside the store's, and not added to it"
            return page
        }
        let items = try desk.uploads.items(wanted.address.path[1])
        let names = items.filter { $0.hash != nil }.map(\.name)
        var page = Answer(
            title: "Dropped pictures", kind: "drop",
            command: Spelling.line(["neurodex"] + Spelling.command("predict", options: [], operands: [store.path] + names))
        ) {
            self.dropForm
            for item in items where item.refusal != nil {
                HTML(.p, .class("note error")) { "Not taken: \(item.refusal ?? item.name)" }
            }
            try HTML(.div) { try items.compactMap { try $0.hash.map { try self.look(at: $0, connection) } } }
        }
        page.subtitle = "\(names.count) \(names.count == 1 ? "picture" : "pictures"), not added to the store"
        return page
    }

    private var dropForm: HTML {
        HTML(
            .form, .class("ask drop"), Attribute("action", Address("drop")), Attribute("method", "post"),
            Attribute("enctype", "multipart/form-data"), Attribute("data-drop")
        ) {
            HTML(.label, .class("long")) {
                "Pictures: at most \(UploadShelf.mostAtOnce), and \(UploadShelf.mostBytes >> 20) MB together"
                HTML(
                    .input, .type("file"), .name("picture"), Attribute("accept", "image/jpeg,image/png,image/webp"),
                    Attribute("multiple"), Attribute("required"))
            }
            HTML(.button, .class("primary")) { "Look" }
            HTML(.small) { "They stay in this program's memory, and the store does not get them." }
        }
    }

    private func look(at hash: String, _ connection: Connection) throws -> HTML {
        let picture = try desk.uploads.picture(hash)
        let look = try desk.look(at: hash, for: connection)
        let frame = try desk.subject(.dropped(hash)).framed.picture
        let copy = try store.images(sha256: Data(SHA256.hash(data: picture.bytes))).first
        return HTML(.div, .class("split")) {
            HTML(.div) {
                HTML(.section, .class("card")) {
                    HTML(.h2) { picture.name }
                    if let copy {
                        HTML(.p, .class("note")) {
                            "The store has it: "
                            HTML(.a, .href(Address("image", "\(copy.id)"))) { copy.path }
                        }
                    }
                    HTML(.div, .class(DrawnExplanation.isSmall(frame) ? "layers pixels alone" : "layers alone")) {
                        HTML(
                            .img, .src(Self.address(ofFrame: .dropped(hash))), .alt("\(picture.name) as the network sees it"),
                            .width(frame.width), .height(frame.height))
                    }
                    HTML(.small) { "As the network sees it" }
                }
                HTML(.section, .class("card")) {
                    HTML(.h2) { "Explain its answer, or a neuron's" }
                    explainForm(image: PageImage.dropped(hash).text)
                }
                HTML(.section, .class("card")) { nearest(to: picture.name, look.activations) }
            }
            HTML(.div) {
                if let standing = look.standing { HTML(.section, .class("card")) { answers(standing) } }
                HTML(.section, .class("card")) { profile(of: picture.name, look.activations) }
            }
        }
    }

    private func answers(_ standing: ClassRanking) -> HTML {
        HTML(.div) {
            HTML(.h2) { "Its prediction" }
            HTML(.table) {
                for index in standing.order.prefix(5) {
                    HTML(.tr) {
                        HTML(.td, .title(standing.names.indices.contains(index) ? standing.names[index] : "")) {
                            standing.name(index)
                        }
                        HTML(.td, .class("number")) { ClassRanking.percent(standing.probabilities[index]) }
                        HTML(.td, .class("number")) { shortNumber(Double(standing.scores[index])) }
                    }
                }
            }
        }
    }

    private func profile(of name: String, _ given: GivenImage) -> HTML {
        let found = Result { try ProfileQuery(image: name, count: 12, given: given).report(from: store).listing }
        return HTML(.div) {
            HTML(.h2) { "The neurons it excites most, by what they do on the store's images" }
            switch found {
            case .success(let listing): profile(listing)
            case .failure(let error): HTML(.p, .class("quiet")) { Self.refusal(of: error).sentence }
            }
        }
    }

    private func nearest(to name: String, _ given: GivenImage) -> HTML {
        let found = Result { try SimilarQuery(image: name, count: 8, given: given).run(in: store).hits }
        return HTML(.div) {
            HTML(.h2) { "The store's nearest images" }
            switch found {
            case .success(let hits):
                HTML(.div, .class("tiles")) {
                    for hit in hits {
                        tile(
                            hit.imageID, alt: "The image \(Self.fileName(hit.image))",
                            lines: [shortNumber(hit.distance)] + (hit.label.map { [$0] } ?? []) + [Self.fileName(hit.image)])
                    }
                }
            case .failure(let error): HTML(.p, .class("quiet")) { Self.refusal(of: error).sentence }
            }
        }
    }
}
