public import Foundation

/// The optional folder of test data that is not part of the repository: photographs, models, reference answers.
///
/// The environment variable `NEURODEX_SHARED` names it, else it is `../shared` beside the repository. Tests that need it
/// are skipped without it: `@Test(.enabled(if: Shared.has("real/photos"), "needs real/photos of the shared test data"))`.
public enum Shared {
    /// The folder; nil when there is none.
    public static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["NEURODEX_SHARED"].map { URL(fileURLWithPath: $0) }
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = named ?? repository.deletingLastPathComponent().appendingPathComponent("shared")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// Whether the folder holds `path`.
    public static func has(_ path: String) -> Bool {
        folder.map { FileManager.default.fileExists(atPath: $0.appendingPathComponent(path).path) } ?? false
    }

    /// The full path of something in the folder.
    ///
    /// - Precondition: `has(path)`; a test asks first.
    public static func path(_ path: String) -> String {
        guard let folder else { preconditionFailure("there is no folder of shared test data: ask Shared.has first") }
        return folder.appendingPathComponent(path).path
    }

    /// The names in one of its folders, in byte order.
    public static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.path(path)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

}
