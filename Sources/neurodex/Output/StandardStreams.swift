import Foundation
import Support

/// The three streams that the program is started with.
enum StandardStreams {
    /// To be called before anything is opened.
    static func prepare() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            // The next file that is opened would have this number, and what is printed would be written into it. Opened the wrong way
            // round, it fails instead. `open` gives the lowest number that is free.
            _ = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
        // A reader that has gone and a file that may not grow are failed writes, not signals that end the program in the middle.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Files that have to be free to open: the store and its journal, and what the system's queues take at their first use, which would end the
    /// program if they could not have them.
    private static let needed: Int = 12

    /// To be called before anything is computed.
    /// - Throws: `Failure` where too few files may be open.
    static func secureDescriptors() throws {
        let free = (0..<needed).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        for descriptor in free where descriptor >= 0 { close(descriptor) }
        guard free.allSatisfy({ $0 >= 0 }) else {
            throw Failure(
                "only \(sysconf(Int32(_SC_OPEN_MAX))) files may be open at once, and neurodex needs \(needed) beside those that are; raise the limit: ulimit -n 256"
            )
        }
        let isReady = DispatchSemaphore(value: 0)
        DispatchQueue.global().asyncAfter(deadline: .now()) { isReady.signal() }
        isReady.wait()
    }

    /// Writes all of `bytes`, waiting for readers that are slow.
    /// - Returns: 0, or the system's error.
    static func write(_ bytes: UnsafeRawBufferPointer, to stream: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(stream, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var wanted = pollfd(fd: stream, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    /// Says that nothing more is printed. Some file systems tell only now that they could not keep what was written.
    static func finish() {
        if close(STDOUT_FILENO) != 0, errno != EBADF, errno != EINTR { end(errno) }
    }

    /// Ends the program, as what it was asked for cannot be given: quietly where the reader has gone, as with `| head -1`.
    fileprivate static func end(_ code: Int32) -> Never {
        if code == EPIPE {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            exit(128 + SIGPIPE)
        }
        let reason = code == EBADF ? "it is closed" : String(cString: strerror(code))
        printNote("Error: standard output cannot be written: \(reason)")
        exit(1)
    }
}

/// Writes to standard output, whole. Where that cannot be, the program ends: with status 1 and a sentence, or quietly if the reader has gone.
func printOut(_ text: String) {
    var text = isatty(STDOUT_FILENO) == 1 ? text.shown(keeping: "\n\t") : text
    text.withUTF8 { printOut(UnsafeRawBufferPointer($0)) }
}

/// As ``printOut(_:)``, of bytes that nobody reads as text.
func printOut(_ bytes: UnsafeRawBufferPointer) {
    StatusLine.clear()
    let code = StandardStreams.write(bytes, to: STDOUT_FILENO)
    if code != 0 { StandardStreams.end(code) }
}

/// A line on standard error; lost where that is closed or full, as there is no other place to say so.
func printNote(_ text: String) { printError(text.shown() + "\n") }

/// Text that goes to standard error as it is.
func printError(_ text: String) {
    StatusLine.clear()
    var text = text
    text.withUTF8 { _ = StandardStreams.write(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
}
