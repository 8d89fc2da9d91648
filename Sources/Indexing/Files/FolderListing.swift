import Foundation
import Support

/// The names in a folder, whatever bytes they are of: Foundation's listing leaves out those that are not UTF-8.
enum FolderListing {
    /// In any order, without `.` and `..`; nil for what cannot be read, or is no folder.
    static func names(_ path: String) -> [ExactString]? {
        guard let stream = PathText.withPath(path, { opendir($0) }) else { return nil }
        defer { closedir(stream) }
        var names: [ExactString] = []
        errno = 0
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes != [0x2E], bytes != [0x2E, 0x2E] { names.append(ExactString(PathText.text(of: bytes))) }
            errno = 0
        }
        return errno == 0 ? names : nil
    }
}
