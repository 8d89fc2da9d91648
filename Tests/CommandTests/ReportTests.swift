import Foundation
import TestSupport
import Testing

/// `report`, and `verify` of what it writes.
@Suite struct ReportTests {
    /// A store of a pet shop's network over its test pictures, and a short report of it.
    private struct Made {
        let folder: TemporaryFolder
        var page: String { get throws { try String(contentsOfFile: folder.file("report.html"), encoding: .utf8) } }

        static let short = ["--sample", "1", "--extremes", "1", "--checks", "1", "--classes", "2"]

        init(network: String = "petshop-hans.onnx", photos: String = "petshop-hans", index: [String] = [], classes: Bool = true)
            throws
        {
            folder = try TemporaryFolder()
            try FileManager.default.copyItem(atPath: Fixtures.path(photos), toPath: folder.file("photos"))
            let names = classes ? ["--classes", Fixtures.path("petshop/labels.txt")] : []
            let indexed = try Executable.run(
                ["index", "shop.sqlite", "--model", Fixtures.path(network)] + names + ["--resize", "none"] + index + ["photos"],
                in: folder.path)
            #expect(indexed.status == 0, "\(indexed)")
        }

        func run(_ arguments: String...) throws -> Executable.Result {
            try Executable.run(arguments, in: folder.path, timeout: 300)
        }

        func report(_ more: String..., to file: String = "report.html") throws -> Executable.Result {
            try Executable.run(["report", "shop.sqlite", "-o", file] + Self.short + more, in: folder.path, timeout: 300)
        }

        /// Writes the page with a change.
        func edit(_ text: String, _ other: String, in file: String = "report.html", to edited: String = "edited.html") throws {
            let page = try String(contentsOfFile: folder.file(file), encoding: .utf8)
            let range = try #require(page.range(of: text), "\(file) does not say \(text)")
            try page.replacingCharacters(in: range, with: other).write(
                toFile: folder.file(edited), atomically: true, encoding: .utf8)
        }
    }

    private func section(_ id: String, of page: String) throws -> String {
        let start = try #require(page.range(of: "<section id=\"\(id)\""))
        let rest = page[start.lowerBound...]
        return String(rest[..<(rest.range(of: "</section>")?.upperBound ?? rest.endIndex)])
    }

    /// In words, in numbers and in pictures; and no report loads anything.
    @Test func theFirstPageHasTheShortcut() throws {
        let made = try Made()
        let result = try made.report("--title", "Hans <b>&", "--by", "A. \"T\"")
        #expect(result.status == 0, "\(result)")
        let page = try made.page
        let first = try section("summary", of: page)
        #expect(first.contains("A shortcut was found for fish") && first.contains("% of the images of fish"))
        #expect(first.matches(of: #/<img src="data:image/png;base64,/#).count >= 3)
        #expect(page.contains("Hans &lt;b&gt;&amp;") && !page.contains("<b>&"))
        try expectNoRequest(page)
    }

    private func expectNoRequest(_ page: String) throws {
        for match in page.matches(of: #/ (src|href|srcset|action|data|poster)="([^"]*)"/#) {
            let value = match.output.2
            #expect(value.hasPrefix("data:image/png;base64,") || value.hasPrefix("#"), "\(match.output.1)=\(value.prefix(80))")
        }
        for word in ["<script", "<iframe", "<object", "<embed", "<link", "@import", "url(", "http-equiv=\"refresh\""] {
            #expect(!page.contains(word), "\(word)")
        }
        for image in page.matches(of: #/<img [^>]*>/#) {
            #expect(image.output.contains(" alt=\"") && !image.output.contains("alt=\"\""))
        }
        for link in page.matches(of: #/href="#([^"]*)"/#) { #expect(page.contains(" id=\"\(link.output.1)\"")) }
    }

    @Test func theHonestNetworkHasNoShortcut() throws {
        let made = try Made(network: "petshop.onnx", photos: "petshop")
        #expect(try made.report().status == 0)
        let first = try section("summary", of: made.page)
        #expect(first.contains("No shortcut was found") && !first.contains("A shortcut was found"))
    }

    /// What was edited is found, wherever it stands: in a number, in a sentence, in a picture, in the style.
    @Test func verifyFindsWhatWasEdited() throws {
        let made = try Made()
        #expect(try made.report().status == 0)
        let same = try made.run("verify", "report.html")
        #expect(same.status == 0 && same.output.contains("the same: Accuracy"), "\(same)")
        let page = try made.page
        let accuracy = try section("accuracy", of: page)
        let number = try #require(accuracy.firstMatch(of: #/<td class="number">98\.3</td>/#)).output
        try made.edit(String(number), "<td class=\"number\">99.3</td>")
        let edited = try made.run("verify", "edited.html")
        #expect(
            edited.status == 1 && edited.errors.contains("Accuracy") && edited.errors.contains("'99.3', made anew it is '98.3'"),
            "\(edited)")
        #expect(edited.output.contains("the same: Data"))
        let pictures = page.matches(of: #/base64,([^"]*)"/#).map { String($0.output.1) }
        try made.edit(pictures[0], pictures[pictures.count - 1])
        for (text, other) in [
            ("A shortcut was found", "No shortcut was found"), ("h1 { font-size", "h1 { color: white; font-size"),
            ("<p class=\"kicker\">", "<p>Approved</p><p class=\"kicker\">"),
            ("&quot;host&quot;:&quot;", "&quot;host&quot;:&quot;x"),
        ] {
            try made.edit(text, other)
            let result = try made.run("verify", "edited.html")
            #expect(result.status == 1 && result.errors.contains("differs: "), "\(text): \(result)")
        }
    }

    @Test func aFolderHasEverythingAndIsVerified() throws {
        let made = try Made()
        #expect(try made.report(to: "filed/").status == 0)
        let names = try FileManager.default.subpathsOfDirectory(atPath: made.folder.file("filed"))
        for name in [
            "report.html", "report.json", "model-card.md", "SHA256SUMS", "tables/accuracy-classes.csv",
            "tables/data-manifest.csv",
        ] {
            #expect(names.contains(name), "\(name)")
        }
        let sums = try Executable.shell("cd filed && sha256sum --quiet -c SHA256SUMS", in: made.folder.path)
        #expect(sums.status == 0, "\(sums)")
        #expect(try made.run("verify", "filed").status == 0)
        try made.edit("98.3", "99.3", in: "filed/report.html", to: "filed/report.html")
        try made.edit("12", "13", in: "filed/tables/accuracy-classes.csv", to: "filed/tables/accuracy-classes.csv")
        let edited = try made.run("verify", "filed")
        #expect(edited.status == 1 && edited.errors.contains("tables/accuracy-classes.csv: line"), "\(edited)")
        #expect(edited.errors.contains("is right on 99.3 %"), "\(edited)")
    }

    @Test func missingPicturesAreSaid() throws {
        let made = try Made()
        #expect(try made.report().status == 0)
        try FileManager.default.moveItem(atPath: made.folder.file("photos"), toPath: made.folder.file("elsewhere"))
        let gone = try made.run("verify", "report.html")
        #expect(gone.status == 2 && gone.errors.contains("cannot be made now: "), "\(gone)")
        #expect(gone.output.contains("the same: Accuracy") == false || !gone.errors.contains("differs"))
        #expect(try made.run("verify", "report.html", "--images", "elsewhere").status == 0)
        let number = try #require(try section("accuracy", of: made.page).firstMatch(of: #/<td class="number">98\.3</td>/#)).output
        try made.edit(String(number), "<td class=\"number\">99.3</td>")
        #expect(try made.run("verify", "edited.html").status == 1)
        // Sections of which something is missing are compared all the same, but for what is missing.
        for (text, other) in [
            ("<h2>6  Errors", "<h2>6  No errors"), ("A shortcut was found for fish", "A mark was found for fish"),
            ("<p class=\"missing\">", "<p class=\"missing\">x"), ("conv4:38 tells fish", "conv4:39 tells fish"),
            ("<p class=\"caption\">The surest wrong", "<p class=\"caption\">The only wrong"),
        ] where try made.page.contains(text) {
            try made.edit(text, other)
            let result = try made.run("verify", "edited.html")
            #expect(result.status == 1 && result.errors.contains("differs: "), "\(text): \(result)")
        }
        #expect(try made.page.contains("A shortcut was found for fish"))
        let without = try made.report(to: "without.html")
        #expect(without.status == 2 && without.errors.contains("has gone or changed"), "\(without)")
        let page = try String(contentsOfFile: made.folder.file("without.html"), encoding: .utf8)
        #expect(page.contains("Missing. ") && page.contains("98.3") && !page.contains("<img src=\"data:image/png;base64,\""))
    }

    /// Of a folder whose pictures have gone, whatever does not come from them.
    @Test func aFolderWithoutPicturesIsComparedAllTheSame() throws {
        let made = try Made()
        #expect(try made.report(to: "filed/").status == 0)
        try FileManager.default.moveItem(atPath: made.folder.file("photos"), toPath: made.folder.file("elsewhere"))
        let gone = try made.run("verify", "filed")
        #expect(gone.status == 2 && !gone.errors.contains("differs"), "\(gone)")
        let sums = try String(contentsOfFile: made.folder.file("filed/SHA256SUMS"), encoding: .utf8)
        for (name, text, other) in [
            ("tables/accuracy-classes.csv", "12", "13"), ("SHA256SUMS", String(sums.prefix(4)), "0000"),
            ("report.json", "\"id\" : \"accuracy\"", "\"id\" : \"accuracy\", \"x\": 1"),
        ] {
            let before = try String(contentsOfFile: made.folder.file("filed/" + name), encoding: .utf8)
            try made.edit(text, other, in: "filed/" + name, to: "filed/" + name)
            let edited = try made.run("verify", "filed")
            #expect(edited.status == 1 && edited.errors.contains("differs: \(name)"), "\(name): \(edited)")
            try before.write(toFile: made.folder.file("filed/" + name), atomically: true, encoding: .utf8)
        }
    }

    /// A report may be a stranger's: it is not made again where it asks for hours, or names a pipe.
    @Test func strangersReportsAreAskedAbout() throws {
        let made = try Made()
        #expect(try made.report().status == 0)
        let page = try made.page
        func write(_ text: String, _ other: String) throws {
            try made.edit(text, other)
            #expect(try String(contentsOfFile: made.folder.file("edited.html"), encoding: .utf8) != page)
        }
        let quote = "&quot;"
        try write("\(quote)--sample\(quote),\(quote)1\(quote)", "\(quote)--sample\(quote),\(quote)1000\(quote)")
        let checks = "\(quote)--checks\(quote),\(quote)1\(quote)"
        // Of a network this small only the checks of many images take long.
        let large = try Made(network: "petshop.onnx", photos: "petshop")
        #expect(try large.report().status == 0)
        let long = try large.page.replacing(checks, with: "\(quote)--checks\(quote),\(quote)1000\(quote)")
            .replacing("\(quote)--sample\(quote),\(quote)1\(quote)", with: "\(quote)--sample\(quote),\(quote)1000\(quote)")
        try long.write(toFile: large.folder.file("long.html"), atomically: true, encoding: .utf8)
        let asked = try Executable.run(["verify", "long.html"], in: large.folder.path, timeout: 30)
        #expect(asked.status == 1 && asked.errors.contains("if that is meant, say --yes"), "\(asked)")
        let pipe = made.folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for form in ["--truth\(quote),\(quote)\(pipe)", "--truth=\(pipe)", "--groups\(quote),\(quote)\(pipe)"] {
            try write("\(quote)--seed\(quote)", "\(quote)\(form)\(quote),\(quote)--seed\(quote)")
            let result = try Executable.run(["verify", "edited.html"], in: made.folder.path, timeout: 30)
            #expect(result.status == 1 && result.errors.contains("is no file but a pipe"), "\(form): \(result)")
        }
        // A folder of which a file is a pipe is refused too, and not waited for.
        try FileManager.default.createDirectory(atPath: made.folder.file("filed"), withIntermediateDirectories: true)
        #expect(mkfifo(made.folder.file("filed/report.html"), 0o600) == 0)
        let folder = try Executable.run(["verify", "filed"], in: made.folder.path, timeout: 30)
        #expect(folder.status == 1 && !folder.isSignal, "\(folder)")
    }

    /// Groups of a table that is no part of the store.
    @Test func groupsOfATableOfOnesOwn() throws {
        let made = try Made()
        let files = try FileManager.default.subpathsOfDirectory(atPath: made.folder.file("photos"))
        let images = files.filter { ["jpg", "png", "webp"].contains(($0 as NSString).pathExtension) }.sorted()
        let rows = images.dropLast(2).enumerated().map { "\($1),\($0 % 3 == 0 ? "Canon" : "Nikon"),\($0 % 2)\n" }
        try ("image,camera,site\n" + rows.joined()).write(
            toFile: made.folder.file("cameras.csv"), atomically: true, encoding: .utf8)
        let result = try made.report("--groups", "cameras.csv")
        #expect(result.status == 0, "\(result)")
        let groups = try section("groups", of: made.page)
        for text in ["By camera, the smallest group first", "By site", "By label", "Canon", "cameras.csv names 58 of 60 images"] {
            #expect(groups.contains(text), "\(text)")
        }
        let listed = try made.run(
            "accuracy", "shop.sqlite", "--groups", "cameras.csv", "--by", "camera", "--format", "csv")
        let lines = listed.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(
            listed.status == 0 && lines.dropFirst(2).map { "\($0[1]) \($0[2])" } == [" 2", "Canon 20", "Nikon 38"], "\(listed)")
        let unknown = try made.run("accuracy", "shop.sqlite", "--groups", "cameras.csv", "--by", "kamera")
        #expect(unknown.status != 0 && unknown.errors.contains("cameras.csv has camera, site"), "\(unknown)")
        #expect(try made.run("accuracy", "shop.sqlite", "--groups", "cameras.csv").status == 64)
        #expect(try made.run("accuracy", "shop.sqlite", "--groups", "none.csv", "--by", "site").errors.contains("none.csv"))
        try "image,label\n\(images[0]),x\n".write(toFile: made.folder.file("labels.csv"), atomically: true, encoding: .utf8)
        let both = try made.run("accuracy", "shop.sqlite", "--groups", "labels.csv", "--by", "label")
        #expect(both.status != 0 && both.errors.contains("write (label) for the store's"), "\(both)")
        #expect(try made.run("accuracy", "shop.sqlite", "--groups", "labels.csv", "--by", "(label)").status == 0)
    }

    @Test func sectionsSayWhatIsMissing() throws {
        let unlabelled = try Made(index: ["--labels", "none"])
        #expect(try unlabelled.report().status == 2)
        let page = try unlabelled.page.replacing(#/base64,[^"]*/#, with: "")
        for id in ["accuracy", "calibration", "groups", "errors", "shortcuts", "neurons"] {
            #expect(try section(id, of: page).contains("Missing. "), "\(id)")
        }
        #expect(!page.contains("NaN") && !page.contains("nan %"))
        let nameless = try Made(classes: false)
        #expect(try nameless.report().status == 2)
        #expect(try section("accuracy", of: nameless.page).contains("classes are not known"))
        let one = try Made()
        for label in ["bird", "dog", "fish", "rabbit"] {
            #expect(try one.run("remove", "shop.sqlite", "--where", "label = '\(label)'").status == 0)
        }
        #expect(try one.run("remove", "shop.sqlite", "--where", "id <> (SELECT min(id) FROM image)").status == 0)
        let result = try one.report()
        #expect(result.status == 2 && !result.isSignal, "\(result)")
        #expect(try section("neurons", of: one.page).contains("one label only"))
    }

    @Test func aDamagedStoreIsSaidToBeDamaged() throws {
        let made = try Made()
        let damage = try Executable.shell(
            "/usr/bin/python3 - <<'END'\nimport sqlite3\nc = sqlite3.connect('shop.sqlite')\n"
                + "c.execute('UPDATE activation_block SET checksum = checksum + 1 WHERE id IN (SELECT id FROM "
                + "activation_block LIMIT 3)')\nc.commit()\nEND",
            in: made.folder.path)
        #expect(damage.status == 0, "\(damage)")
        let result = try made.report()
        #expect(!result.isSignal && result.status != 0 || result.errors.contains("damaged"), "\(result)")
        #expect(try section("summary", of: made.page).contains("The store is damaged"))
    }

    /// The schema in docs/ describes what is written.
    @Test func jsonFollowsItsSchema() throws {
        let made = try Made()
        #expect(try made.report(to: "report.json").status == 0)
        func json(_ path: String) throws -> Any {
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        }
        let schema = try #require(try json(DocumentationTests.root + "/docs/report.schema.json") as? [String: Any])
        let report = try json(made.folder.file("report.json"))
        #expect(SchemaCheck(root: schema).problems(report, schema, at: "").isEmpty)
        var broken = try #require(report as? [String: Any])
        broken["sections"] = [["id": 3]]
        #expect(!SchemaCheck(root: schema).problems(broken, schema, at: "").isEmpty)
    }

    @Test func theCardHasItsHead() throws {
        let made = try Made()
        #expect(try made.report("--by", "T | *x*", to: "card.md").status == 0)
        let lines = try String(contentsOfFile: made.folder.file("card.md"), encoding: .utf8).split(separator: "\n")
        #expect(
            lines[0] == "---" && lines.contains("pipeline_tag: image-classification") && lines.contains("    - type: accuracy"))
        #expect(lines.contains { $0.hasPrefix("      value: 0.98333") })
        #expect(lines.contains("## Shortcuts") && lines.contains { $0.contains("A shortcut was found for fish") })
        #expect(lines.contains { $0.hasPrefix("- **Intended purpose") && $0.contains("[to be completed") })
    }

    /// Both reports in docs/reports are what the first commands of docs/report.md make: every word, every number to four digits, every
    /// picture's size and description. Left out are dates, the program's version, the machine's name, the store's own hash, and the pixels of
    /// pictures, which may differ on another processor by a level.
    @Test func theCommittedReportsAreMadeByTheirCommands() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.file("fixtures"), withDestinationPath: Fixtures.folder)
        let page = try String(contentsOfFile: DocumentationTests.root + "/docs/report.md", encoding: .utf8)
        let block = try #require(page.firstMatch(of: #/```sh\n([^`]+)```/#)).output.1
        for line in block.split(separator: "\n") {
            let result = try Executable.shell(String(line), in: folder.path, timeout: 300)
            #expect(result.status == 0, "\(line): \(result)")
        }
        for name in ["honest", "hans"] {
            let made = try Self.told(folder.file(name + ".html"))
            let committed = try Self.told(DocumentationTests.root + "/docs/reports/\(name).html")
            #expect(made.count == committed.count && made.count > 1500)
            for (one, other) in zip(made, committed) where !Self.isSame(one, other) {
                Issue.record("\(name): \(one), not \(other)")
            }
        }
        #expect(Self.isSame("AUROC 0.83012", "AUROC 0.83013") && !Self.isSame("98.3 %", "98.4 %") && !Self.isSame("a 1", "b 1"))
    }

    /// The tags and texts of a page, without what depends on when and where it was made.
    private static func told(_ path: String) throws -> [String] {
        let page = try String(contentsOfFile: path, encoding: .utf8)
            .replacing(#/data:image\/png;base64,[^"]*/#, with: "")
            .replacing(#/<footer.*<\/footer>/#.dotMatchesNewlines(), with: "")
            .replacing(#/\d{4}-\d\d-\d\d(T[\d:]+Z)?/#, with: "")
            .replacing(#/(made">)[^<]*/#) { String($0.output.1) }
            .replacing(#/neurodex \d+\.\d+\.\d+/#, with: "neurodex")
            .replacing(#/(contents<\/th><td[^>]*>)\w*/#) { String($0.output.1) }
        return page.matches(of: #/<[^>]*>|[^<]+/#).map { String($0.output) }
    }

    /// Equal but for the last digits of numbers.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        let number = #/\d+(\.\d+)?(e[-+]?\d+)?/#
        guard one.replacing(number, with: "#") == other.replacing(number, with: "#") else { return false }
        return zip(one.matches(of: number), other.matches(of: number)).allSatisfy { a, b in
            guard let x = Double(a.output.0), let y = Double(b.output.0) else { return false }
            return abs(x - y) <= 1e-4 * max(abs(x), abs(y))
        }
    }

    /// Nothing found is no news of labels that have too few images to be searched.
    @Test func whatCouldNotBeSearchedIsNotCalledClean() throws {
        let shop = try Shop(withStore: false)
        let images = ["cat/cat-43", "cat/cat-44", "dog/dog-43", "dog/dog-44"].map { "photos/test/\($0).jpg" }
        let made = try Executable.run(
            ["index", "few.sqlite", "--model", "petshop.onnx", "--classes", "labels.txt", "--resize", "none"] + images,
            in: shop.path)
        #expect(made.status == 0, "\(made)")
        _ = try shop.run("report", "few.sqlite", "-o", "few.md", "--sample", "1", "--extremes", "0", "--checks", "0")
        let text = try String(contentsOfFile: shop.folder.file("few.md"), encoding: .utf8)
        #expect(text.contains("Shortcuts could not be looked for: all 2 labels have fewer than 5 images"))
        #expect(!text.contains("No shortcut was found"))
    }

    @Test func wrongWordsAreRefused() throws {
        let made = try Made()
        #expect(try made.run("report", "shop.sqlite").status == 64)
        #expect(try made.run("report", "shop.sqlite", "-o", "x.html", "--sample", "-3").status == 64)
        let group = try made.report("--group", "kamera")
        #expect(group.status == 2 && group.errors.contains("no such column: kamera"), "\(group)")
        #expect(try made.run("report", "none.sqlite", "-o", "x.html").status == 1)
    }
}

/// As much of JSON Schema as the report's uses.
private struct SchemaCheck {
    let root: [String: Any]

    func problems(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        if let reference = schema["$ref"] as? String {
            let name = reference.replacing("#/$defs/", with: "")
            guard let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any] else {
                return ["\(path): no \(reference)"]
            }
            return problems(value, target, at: path)
        }
        var found: [String] = []
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        if !types.isEmpty, !types.contains(where: { isOfType(value, $0) }) { found.append("\(path) is no \(types)") }
        if let allowed = schema["enum"] as? [String], let text = value as? String, !allowed.contains(text) {
            found.append("\(path): \(text)")
        }
        if let object = value as? [String: Any] {
            for key in schema["required"] as? [String] ?? [] where object[key] == nil { found.append("\(path) lacks \(key)") }
            let known = schema["properties"] as? [String: [String: Any]] ?? [:]
            for (key, child) in object {
                if let own = known[key] {
                    found += problems(child, own, at: "\(path)/\(key)")
                } else if schema["additionalProperties"] as? Bool == false {
                    found.append("\(path) has \(key)")
                }
            }
        }
        if let list = value as? [Any], let items = schema["items"] as? [String: Any] {
            found += list.enumerated().flatMap { problems($1, items, at: "\(path)/\($0)") }
        }
        return found
    }

    private func isOfType(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": value is Bool
        case "integer": (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
        case "number": value is NSNumber
        case "null": value is NSNull
        default: false
        }
    }
}
