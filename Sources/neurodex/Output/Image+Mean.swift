import Images

extension Image {
    /// The mean of pictures of one size; black of none.
    static func mean(of images: [Image]) -> Image {
        guard let first = images.first else { return Image(width: 1, height: 1) }
        var sums = [Int](repeating: 0, count: first.pixels.count)
        for image in images { for (index, value) in image.pixels.enumerated() { sums[index] += Int(value) } }
        let count = images.count
        return Image(width: first.width, height: first.height, pixels: sums.map { UInt8((2 * $0 + count) / (2 * count)) })
    }
}
