import ActivationStore
import ArgumentParser
import Foundation
import Search

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: SQLQuery.name,
        abstract: SQLQuery.abstract,
        discussion: """
            Examples:

              neurodex sql shop.sqlite "SELECT label, count(*) FROM image_info GROUP BY 1"
              neurodex sql shop.sqlite "SELECT * FROM activation WHERE image_id = 7"

            The table activation(layer, channel, image_id, value, y, x) has every activation; the views image_info, neuron_info and \
            top_image have names where the tables have numbers. Of several columns of one name, the second is called NAME:1, and so on. \
            Nothing can be written. With --format json or csv rows are printed \
            as they come, in any number.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: SQLQuery
    @OptionGroup var output: FormatOption

    func run() throws {
        let printer = SQLPrinter(query: query, store: try Store.open(path: store))
        switch output.format {
        case .table: try printer.printTable()
        case .csv: try printer.printCSV(isSafe: false)
        case .safeCSV: try printer.printCSV(isSafe: true)
        case .json: try printer.printJSON()
        }
    }
}
