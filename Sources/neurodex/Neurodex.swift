import ArgumentParser

@main
struct Neurodex: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neurodex", abstract: "Shows what a trained CNN has learnt.", version: "0.1.0")
}
