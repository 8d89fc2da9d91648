import ActivationStore
import Support

/// The pictures of some images of each label, evenly through their ids.
struct LabelledPictures {
    /// So many of a label are looked at.
    static let mostOfALabel = 60
    /// So many labels.
    static let mostLabels = 64
    /// A label with fewer is not judged: one half of its pictures says what to look for, the other half is judged.
    static let fewest = 10

    /// By image id.
    let pictures: [Int: SmallPicture]
    /// The number of the label of each of these images.
    let labels: [Int: Int]
    /// Images that were to be looked at, those of them without a picture, and one of these.
    let asked: Int
    let missing: Int
    let example: String?

    /// - Parameter wanted: labels of which pictures are read; the others are not judged.
    /// - Throws: `StoreError`.
    init(of wanted: [Int], _ labels: ImageLabels, in store: Store, _ given: GivenPictures) throws {
        var byLabel = [[Int]](repeating: [], count: labels.names.count + 1)
        for (image, number) in zip(labels.images, labels.numbers) { byLabel[Int(number)].append(image) }
        let chosen = wanted.map { label in (label, evenly(byLabel[label], Self.mostOfALabel)) }
        let stored = try store.images(ids: chosen.flatMap(\.1))
        var (pictures, known) = ([Int: SmallPicture](), [Int: Int]())
        var (asked, missing, example) = (0, 0, String?.none)
        Activity.run("looking at pictures", parts: chosen.count) {
            for (label, images) in chosen {
                for id in images {
                    asked += 1
                    if let picture = stored[id].flatMap(given.picture) {
                        (pictures[id], known[id]) = (picture, label)
                    } else {
                        missing += 1
                        example = example ?? stored[id]?.path ?? "image \(id)"
                    }
                }
                Activity.step()
            }
        }
        (self.pictures, self.labels, self.asked, self.missing, self.example) = (pictures, known, asked, missing, example)
    }

    /// The images of a label, ascending.
    func own(_ label: Int) -> [Int] { labels.filter { $0.value == label }.keys.sorted() }

    /// The images of the other labels, ascending.
    func others(_ label: Int) -> [Int] { labels.filter { $0.value != label }.keys.sorted() }
}

/// At most so many of a list, evenly through its order.
func evenly<Element>(_ list: [Element], _ most: Int) -> [Element] {
    guard list.count > most else { return list }
    return (0..<most).map { list[$0 * list.count / most] }
}
