package import ArgumentParser
import Explanations
import Foundation
package import Search
import Support
import Synchronization

@main
package struct Neurodex: ParsableCommand {
    package init() {}

    static let version = "0.9.0"

    /// The questions that are commands; tests add theirs.
    @TaskLocal package static var questions = queries

    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "neurodex",
            abstract: "Shows what a trained CNN has learnt.",
            discussion: """
                Run a network over a folder of images once, and ask what its neurons respond to:

                  neurodex index shop.sqlite --model petshop.onnx photos/
                  neurodex layers shop.sqlite
                  neurodex top shop.sqlite conv4:17 --sheet top.png

                A neuron is one channel of one layer, written LAYER:CHANNEL; class:NAME is the neuron of a class score. \
                Every answer is exact. Exit status: 0 done, 1 failed, 2 some inputs were skipped, 64 wrong usage, 130 stopped by Ctrl-C.
                """,
            version: version,
            subcommands: subcommands)
    }

    private static var subcommands: [any ParsableCommand.Type] {
        let before: [any ParsableCommand.Type] = [
            IndexCommand.self, PreprocessingCommand.self, InfoCommand.self, LayersCommand.self,
        ]
        let after: [any ParsableCommand.Type] = [
            ServeCommand.self, SiteCommand.self,
            DiffCommand.self, VerifyCommand.self, RelabelCommand.self, AttributesCommand.self, RemoveCommand.self,
            CompactCommand.self, MergeCommand.self,
            ExplainCommand<Saliency>.self, ExplainCommand<Occlusion>.self, CAMCommand.self, DeconvCommand.self,
            ExplainCommand<Attention>.self,
            AscendCommand.self, PredictCommand.self, DetectCommand.self, ReportCommand.self, MapsCommand.self,
            FiltersCommand.self,
            ImageCardCommand.self, NeuronCardCommand.self, ExplanationsCommand.self,
            InputsCommand.self, OutputsCommand.self, AblateCommand.self, ReasonsCommand.self, DissectCommand.self,
            RepairCommand.self,
            WalkthroughCommand.self, SamplesCommand.self,
        ]
        return before + questions.map { QueryCommands.command(for: $0) } + after
    }

    /// Those of the command line; of a path that is not UTF-8, its text.
    static let arguments: [String] = (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
        CommandLine.unsafeArgv[index].map { word in
            let bytes = UnsafeRawBufferPointer(start: word, count: strlen(word))
            return String(validating: bytes, as: UTF8.self) ?? PathText.text(of: bytes)
        }
    }

    static func main() {
        StandardStreams.prepare()
        StatementWatchdog.whenStuck.withLock {
            $0 = { error in
                printNote("Error: \(error)")
                _exit(ExitCode.failure.rawValue)
            }
        }
        if let script = BashCompletion.script(for: arguments) { end(script, .success) }
        if let refusal = unknownCommand(arguments) {
            end("Error: \(refusal)", .validationFailure)
        }
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(arguments)
        } catch {
            end(fullMessage(for: error).shown(keeping: "\n"), exitCode(for: error))
        }
        StatusLine.start(type(of: command)._commandName)
        do {
            defer { StatusLine.stop() }
            try StandardStreams.secureDescriptors()
            try command.run()
        } catch let error as ValidationError {
            // What the command line alone could not show to be wrong.
            printNote("Error: \(error.message)")
            printNote("  See '\(configuration.commandName ?? "") help \(type(of: command)._commandName)' for more information.")
            end("", .validationFailure)
        } catch {
            // Help has many lines; what went wrong is one sentence.
            let code = exitCode(for: error)
            end(fullMessage(for: error).shown(keeping: code == .success ? "\n" : ""), code)
        }
        end("", .success)
    }

    /// Ends the program with its last words: help that was asked for, or what is wrong.
    private static func end(_ message: String, _ code: ExitCode) -> Never {
        if !message.isEmpty {
            if code == .success { printOut(message + "\n") } else { printError(message + "\n") }
        }
        StandardStreams.finish()
        Foundation.exit(code.rawValue)
    }
}

extension Neurodex {
    /// What to say where the first word is no command, or the word after a command that has others is none of these; else nil.
    static func unknownCommand(_ arguments: [String]) -> String? {
        var (words, name) = (arguments[...], "neurodex")
        if words.first == "help" { words = words.dropFirst() }
        var command: any ParsableCommand.Type = Neurodex.self
        while let word = words.first, !word.hasPrefix("-"), command.configuration.defaultSubcommand == nil {
            let known = command.configuration.subcommands
            guard !known.isEmpty else { return nil }
            guard let next = known.first(where: { $0._commandName == word }) else {
                let nearest = Suggestion.nearest(
                    to: word, among: known.map { $0._commandName } + (name == "neurodex" ? ["help"] : []), limit: 1)
                return "there is no command '\(name) \(word)'\(Suggestion.clause(nearest)) ('\(name) --help' lists them)"
            }
            (command, name) = (next, name + " " + word)
            words = words.dropFirst()
        }
        return nil
    }
}

extension ExitCode {
    /// The work is done, but some inputs were skipped.
    static let someSkipped = ExitCode(2)
    /// Stopped by Ctrl-C, as shells number it.
    static let interrupted = ExitCode(130)
}

/// A failure in one sentence, for standard error; exit status 1.
struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
