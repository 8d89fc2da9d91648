import ActivationStore
import Explanations
import Images
import Search

/// Images that a command runs the network over: where they are, and what could not be looked at, which is counted and said.
struct FoundImages {
    private(set) var places: [InputImage.Place] = []
    /// Name and reason.
    private(set) var omitted: [(String, String)] = []
    let count: Int
    private let store: Store
    private let preprocessing: Preprocessing

    /// Reads the image of a place; on any thread.
    var read: @Sendable (Int) throws -> InputImage {
        let (places, store, preprocessing) = (places, store, preprocessing)
        return { try InputImage(at: places[$0], store: store, preprocessing: preprocessing) }
    }

    /// - Parameter names: paths or ids of the store.
    /// - Throws: `Failure` where none is there.
    init(_ names: [String], _ archive: ExplanationArchive) throws {
        (count, store, preprocessing) = (names.count, archive.store, archive.preprocessing)
        for name in names {
            do {
                places.append(try InputImage.Place(name, store: archive.store, files: archive.files))
            } catch  where Explained.isOfOneImage(error) {
                omitted.append((name, "\(error)"))
            }
        }
        guard places.isEmpty, let first = omitted.first else { return }
        throw Failure("none of the \(names.count) images can be looked at, such as \(first.1)")
    }

    /// The value of a result; an image that is to blame for an error is passed over, and counted.
    mutating func taken<Value>(_ result: Result<Value, any Error>, _ index: Int) throws -> Value? {
        do {
            return try result.get()
        } catch  where Explained.isOfOneImage(error) {
            omitted.append((places[index].name, "\(error)"))
            return nil
        }
    }

    /// Says on standard error what was not looked at.
    /// - Throws: `Failure` where nothing was.
    func report() throws {
        guard let first = omitted.first else { return }
        guard omitted.count < count else {
            throw Failure("none of the \(count) images can be looked at, such as \(first.1)")
        }
        printNote("not looked at: \(omitted.count) of \(count) images")
        Remarks.gathered(omitted).forEach(printNote)
    }
}
