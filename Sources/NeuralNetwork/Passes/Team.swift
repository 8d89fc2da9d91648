import COneDNN
import Foundation
import Synchronization

/// One thread, or two that share out each step of one pass.
///
/// Workers that each run a pass of their own do more than two threads on one, so a team is for a pass that is alone: one image's
/// saliency, one picture's ascent. Kernels are compiled for two threads wherever they may run on a team, and give the same bits on one:
/// a thread computes whole outputs, never a part of a sum.
package enum Team {
    /// Lets what `body` compiles be run on two threads.
    static func compiling<Value>(_ body: () throws -> Value) rethrows -> Value { try running(on: 2, body) }

    /// Lets what `body` runs use `threads` threads, 1 or 2.
    static func running<Value>(on threads: Int, _ body: () throws -> Value) rethrows -> Value {
        let before = nd_get_threads()
        nd_set_threads(Int32(threads))
        defer { nd_set_threads(before) }
        return try body()
    }

    /// Threads that what is compiled now may be run on.
    static var size: Int { Int(nd_get_threads()) }

    /// Lets passes that are alone take a second thread whatever else runs from now on: for measuring on a machine that others use.
    package static func ignoreOthers() { ignoresOthers.store(true, ordering: .relaxed) }
    private static let ignoresOthers = Atomic<Bool>(false)

    /// Whether a core is free for a second thread now: two threads that share out every step wait for each other a hundred times in a
    /// pass, and where something else runs on one's core, they take many times as long as one alone (SqueezeNet 1.1 on 2 cores: 10 ms
    /// where nothing else runs, 800 ms where four other programs do).
    static var hasIdleCore: Bool {
        if ignoresOthers.load(ordering: .relaxed) { return true }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        guard cores > 1 else { return false }
        #if os(Linux)
            // "0.20 0.18 0.12 1/80 11206": the fourth is how many threads run now, this one included, of all there are.
            guard let load = firstLine("/proc/loadavg")?.split(separator: " "), load.count > 3,
                let running = load[3].split(separator: "/").first.flatMap({ Int($0) })
            else { return false }
            guard running >= cores else { return true }
            // The thread that helped last waits for its next share in a loop: "11207 (name) R …".
            let helper = nd_helper()
            guard helper > 0, let state = firstLine("/proc/self/task/\(helper)/stat")?.split(separator: ")").last else {
                return false
            }
            return state.hasPrefix(" R") && running - 1 < cores
        #else
            var load = [0.0]
            return getloadavg(&load, 1) == 1 && load[0] < Double(cores)
        #endif
    }

    private static func firstLine(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Floats that it is worth to wake another thread for.
    private static let least = 16384

    /// Calls `body` for the elements 0 ..< count, in two halves on a team. `cost`: floats that an element stands for; the halves meet at a
    /// multiple of `grain`.
    static func split(_ count: Int, cost: Int = 1, grain: Int = 16, _ body: (Range<Int>) -> Void) {
        guard count * cost >= least else { return body(0..<count) }
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { context in
                nd_split(
                    count, grain,
                    { context, start, end in
                        context?.assumingMemoryBound(to: ((Range<Int>) -> Void).self).pointee(start..<end)
                    }, context)
            }
        }
    }
}
