import Foundation

/// Where a file is, in one spelling.
enum FilePlace {
    /// Without `.`, `..`, empty components and slashes at the end; of a relative path, those `..` that lead out of it are left out too.
    static func plain(_ path: String) -> String {
        var components: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        return (path.hasPrefix("/") ? "/" : "") + components.joined(separator: "/")
    }

    /// From the root of the file system on.
    static func full(_ path: String, in folder: String = FileManager.default.currentDirectoryPath) -> String {
        plain(path.hasPrefix("/") ? path : folder + "/" + path)
    }

    /// With all links followed; nil where there is no such file.
    static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
