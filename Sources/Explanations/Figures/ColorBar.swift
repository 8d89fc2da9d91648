import Images

/// The scale of a figure's colours: the numbers of its ends and its middle under it, and under these what they are.
struct ColorBar {
    var colormap: Colormap
    var low: String
    var middle: String
    var high: String
    var quantity: String

    private static let height = 9.0

    /// Draws it as wide as `width`, and moves `y` to below it.
    func draw(x: Double, y: inout Double, width: Double, on page: inout Page) {
        let colors = Image(width: 256, height: 1, pixels: colormap.colors.flatMap { [$0.red, $0.green, $0.blue] })
        page.place(colors, in: Rectangle(x: x, y: y, width: width, height: Self.height), isPixelated: true)
        y += Self.height + 2
        let font = Font.regular
        page.write(low, x: x, y: y, color: Page.Palette.quiet)
        page.write(middle, x: x + (width - font.width(of: middle)) / 2, y: y, color: Page.Palette.quiet)
        page.write(high, x: x + width - font.width(of: high), y: y, color: Page.Palette.quiet)
        y += font.lineHeight + 1
        for line in font.wrapped(quantity, toWidth: width) {
            page.write(line, x: x, y: y, color: Page.Palette.quiet)
            y += font.lineHeight + 1
        }
    }
}
