import Images

/// The mean of pictures of one size, which are added one by one.
struct ImageMean {
    private var (width, height) = (1, 1)
    private var sums: [Int] = []
    private var count = 0

    mutating func add(_ image: Image) {
        if count == 0 {
            (width, height) = (image.width, image.height)
            sums = [Int](repeating: 0, count: image.pixels.count)
        }
        count += 1
        for (index, value) in image.pixels.enumerated() { sums[index] += Int(value) }
    }

    /// Black of none.
    var image: Image {
        guard count > 0 else { return Image(width: 1, height: 1) }
        return Image(width: width, height: height, pixels: sums.map { UInt8((2 * $0 + count) / (2 * count)) })
    }
}

extension Image {
    /// The mean of pictures of one size; black of none.
    static func mean(of images: [Image]) -> Image {
        var mean = ImageMean()
        for image in images { mean.add(image) }
        return mean.image
    }
}
