import Foundation
import TestSupport

/// The built program, run as its users run it.
enum Executable {
    /// How a run ended.
    struct Result: CustomStringConvertible {
        var status: Int32
        /// Ended by a signal, whose number `status` is.
        var isSignal: Bool
        var output: String
        var errors: String

        var description: String {
            "\(isSignal ? "signal" : "status") \(status)\nout: \(output.prefix(2000))\nerr: \(errors.prefix(2000))"
        }
    }

    /// Beside the test bundle, where the build puts both.
    static let path: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let folders = [own, CommandLine.arguments[0]].map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        let build = Fixtures.folder + "/../.build"
        let found = (folders + [build + "/release", build + "/debug"]).map { $0 + "/neurodex" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { preconditionFailure("there is no neurodex beside the tests: swift build --product neurodex") }
        return found
    }()

    /// Runs `neurodex` with `arguments` to its end; one that takes longer than `timeout` seconds is killed.
    static func run(_ arguments: [String], in folder: String, timeout: Double = 60) throws -> Result {
        try Running(path, arguments, in: folder).wait(timeout: timeout)
    }

    /// Runs a line of a shell in which `neurodex` is the program.
    static func shell(_ line: String, in folder: String, timeout: Double = 60) throws -> Result {
        try Running("/bin/sh", ["-c", line], in: folder).wait(timeout: timeout)
    }

    /// A program that runs. Its output goes to files, so that it never waits for us.
    final class Running {
        private let process = Process()
        private let folder: TemporaryFolder

        init(_ program: String, _ arguments: [String], in working: String) throws {
            folder = try TemporaryFolder()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.currentDirectoryURL = URL(fileURLWithPath: working)
            var environment = ProcessInfo.processInfo.environment
            environment["PATH"] = (Executable.path as NSString).deletingLastPathComponent + ":" + (environment["PATH"] ?? "")
            environment["COLUMNS"] = "80"
            process.environment = environment
            for name in ["out", "err"] { try Data().write(to: URL(fileURLWithPath: folder.file(name))) }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle(forWritingAtPath: folder.file("out"))
            process.standardError = FileHandle(forWritingAtPath: folder.file("err"))
            try process.run()
        }

        func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

        var isRunning: Bool { process.isRunning }

        /// What it has written to standard output until now.
        var output: String {
            String(decoding: FileManager.default.contents(atPath: folder.file("out")) ?? Data(), as: UTF8.self)
        }

        func wait(timeout: Double = 60) throws -> Result {
            let deadline = Date().addingTimeInterval(timeout)
            var isLate = false
            while process.isRunning {
                if Date() > deadline {
                    isLate = true
                    send(SIGKILL)
                }
                usleep(2000)
            }
            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder.file(name))), as: UTF8.self)
            }
            return Result(
                status: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal,
                output: try text("out"),
                errors: try text("err") + (isLate ? "\n(killed by the test after \(timeout) s)" : ""))
        }
    }
}

/// A folder as a new user has it: the pet shop's network, its labels, a folder of photos, and a store of them.
struct Shop {
    let folder: TemporaryFolder

    var path: String { folder.path }

    init(withStore: Bool = true) throws {
        folder = try TemporaryFolder()
        for (name, target) in [("petshop.onnx", "petshop.onnx"), ("labels.txt", "petshop/labels.txt"), ("photos", "petshop")] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: Fixtures.path(target))
        }
        guard withStore else { return }
        let made = try run(
            "index", "shop.sqlite", "--model", "petshop.onnx", "--classes", "labels.txt", "--resize", "none", "photos")
        precondition(made.status == 0, "the pet shop could not be indexed: \(made)")
    }

    func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: path) }

    /// The network that goes by price tags and its pictures, with a store `hans.sqlite` of some.
    /// - Parameter arguments: of `index`, besides the network.
    static func ofHans(_ arguments: String...) throws -> Shop {
        let shop = try Shop(withStore: false)
        for name in ["petshop-hans.onnx", "petshop-hans"] {
            try FileManager.default.createSymbolicLink(atPath: shop.folder.file(name), withDestinationPath: Fixtures.path(name))
        }
        let index = ["index", "hans.sqlite", "--model", "petshop-hans.onnx", "--classes", "labels.txt", "--resize", "none"]
        let made = try Executable.run(index + arguments, in: shop.path)
        precondition(made.status == 0, "Hans could not be indexed: \(made)")
        return shop
    }
}
