import Foundation

/// The user's browser.
enum Browser {
    #if os(macOS)
        static let opener = "open"
    #else
        static let opener = "xdg-open"
    #endif

    /// - Returns: why the address could not be opened; nil where the opener was started.
    static func open(_ address: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard let path = folders.map({ $0 + "/" + opener }).first(where: { FileManager.default.isExecutableFile(atPath: $0) })
        else {
            return "\(opener) is not there, which opens browsers; open the address above by hand"
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = [address]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
            return nil
        } catch {
            return "\(path) could not be started (\(error.localizedDescription)); open the address above by hand"
        }
    }
}
