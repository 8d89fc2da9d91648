import Foundation
import TestSupport

/// A terminal of its own, in which the built program runs as under a user's hands.
final class Terminal {
    private let main: CInt
    private let side: FileHandle
    private let process = Process()
    private var text = Data()

    /// Starts a program. Standard error is the terminal.
    /// - Parameters:
    ///   - output: a file for standard output; nil for the terminal.
    ///   - columns: of the terminal.
    init(
        _ arguments: [String], in folder: String, program: String = Executable.path, output: String? = nil, columns: UInt16 = 80
    ) throws {
        main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        guard main >= 0, let name = Self.otherSide(of: main) else { throw POSIXError(.ENXIO) }
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let file = open(name, O_RDWR | O_NOCTTY)
        guard file >= 0, ioctl(file, UInt(TIOCSWINSZ), &size) == 0 else { throw POSIXError(.ENXIO) }
        side = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardError = side
        process.standardOutput = side
        if let output {
            try Data().write(to: URL(fileURLWithPath: output))
            process.standardOutput = FileHandle(forWritingAtPath: output)
        }
        try process.run()
    }

    deinit { close(main) }

    /// The device that a program takes for its terminal; nil where it cannot be had.
    private static func otherSide(of main: CInt) -> String? {
        #if os(Linux)
            // Glibc's unlockpt and ptsname are not in its Swift module; these are what they ask: TIOCSPTLCK and TIOCGPTN.
            var (locked, number): (CInt, CUnsignedInt) = (0, 0)
            guard ioctl(main, 0x4004_5431, &locked) == 0, ioctl(main, 0x8004_5430, &number) == 0 else { return nil }
            return "/dev/pts/\(number)"
        #else
            guard grantpt(main) == 0, unlockpt(main) == 0 else { return nil }
            return ptsname(main).map { String(cString: $0) }
        #endif
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// What was shown so far, control characters and all.
    var shown: String {
        var waiting = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while poll(&waiting, 1, 0) > 0, waiting.revents & Int16(POLLIN) != 0 {
            let count = read(main, &buffer, buffer.count)
            guard count > 0 else { break }
            text.append(contentsOf: buffer[..<count])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Waits until `words` are shown; false where they are not before the program ends, or in time.
    func wait(for words: String, timeout: Double = 60) -> Bool {
        let deadline = Date().addingTimeInterval(timeout)
        while !shown.contains(words) {
            guard process.isRunning, Date() < deadline else { return shown.contains(words) }
            usleep(5000)
        }
        return true
    }

    /// Waits for the end, and gives the exit status.
    func wait(timeout: Double = 60) -> Int32 {
        let deadline = Date().addingTimeInterval(timeout)
        while process.isRunning {
            if Date() > deadline { send(SIGKILL) }
            _ = shown
            usleep(2000)
        }
        _ = shown
        return process.terminationStatus
    }

    /// The lines that stay to be seen: what was written over, or cleared to the line's end, is gone.
    var lines: [String] {
        shown.replacingOccurrences(of: "\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var seen: [Character] = []
            var column = 0
            var rest = line[...]
            while let character = rest.first {
                if rest.hasPrefix("\u{1B}[K") {
                    seen.removeSubrange(min(column, seen.count)...)
                    rest = rest.dropFirst(3)
                } else if character == "\u{1B}" {
                    rest = rest.drop { $0 != "m" }.dropFirst()
                } else {
                    rest = rest.dropFirst()
                    if character == "\r" {
                        column = 0
                        continue
                    }
                    if column < seen.count { seen[column] = character } else { seen.append(character) }
                    column += 1
                }
            }
            return String(seen)
        }
    }
}
