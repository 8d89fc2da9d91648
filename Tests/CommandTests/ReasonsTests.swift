import Foundation
import TestSupport
import Testing

/// A class that is told by two things falls into two groups.
@Suite struct ReasonsTests {
    private struct Report: Decodable {
        struct Group: Decodable {
            struct Neuron: Decodable {
                var neuron: String
                var adds: Double
                var addsElsewhere: Double?
            }
            var images: Int
            var judged: Int
            var right: Int
            var neurons: [Neuron]
            var members: [String]
        }
        var layer: String
        var silhouette: Double?
        var groups: [Group]
    }

    private let shop: Shop

    init() throws { shop = try Shop.ofHans("photos/test", "petshop-hans") }

    private func report(_ arguments: String...) throws -> Report {
        let result = try Executable.run(["reasons", "hans.sqlite"] + arguments + ["--format", "json"], in: shop.path)
        #expect(result.status == 0, "\(result)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(result.output.utf8))
    }

    /// Fish that wear a tag, which are right, and fish without one, which are not.
    @Test func fishWithAndWithoutATagPart() throws {
        let found = try report("class:fish", "-o", "reasons.png")
        #expect(found.groups.count >= 2 && (found.silhouette ?? 0) >= 0.25)
        #expect(found.groups.reduce(0) { $0 + $1.images } == 42)
        for group in found.groups {
            let tagged = group.members.count { $0.contains("petshop-hans") }
            #expect(tagged * 10 <= group.images || tagged * 10 >= group.images * 9, "\(tagged) of \(group.images)")
            #expect(group.judged == group.images && (group.right > 0) == (tagged * 2 > group.images))
            let differences = group.neurons.map { $0.adds - ($0.addsElsewhere ?? 0) }
            #expect(differences == differences.sorted(by: >))
        }
        let again = try shop.run("verify", "reasons.png")
        #expect(again.status == 0, "\(again)")
    }

    @Test func groupsAreAsManyAsAreAskedFor() throws {
        #expect(try report("class:fish", "--groups", "4").groups.count == 4)
        #expect(try report("class:fish", "--groups", "1").groups.map(\.images) == [42])
        let few = try report("class:fish", "--where", "id < 2", "--by", "places")
        #expect(few.groups.count == 1 && few.silhouette == nil)
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        func refusal(_ arguments: String..., status: Int32 = 1) throws -> String {
            let result = try Executable.run(["reasons", "hans.sqlite"] + arguments, in: shop.path)
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try refusal("class:fisch").contains("fish"))
        #expect(try refusal("class:fish", "--layer", "fc2").contains("fc2"))
        #expect(try refusal("class:fish", "--where", "label = 'x'").contains("no image is left"))
        #expect(try refusal("class:fish", "--groups", "0", status: 64).contains("at least one"))
    }
}
