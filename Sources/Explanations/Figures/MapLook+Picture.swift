public import Images

extension MapLook {
    /// Of its numbers; figures may have another.
    public var colormap: Colormap { isSigned ? .diverging : .inferno }

    /// A map over the picture that it is of.
    ///
    /// - Parameters:
    ///   - map: of the picture, without padding; of finite numbers.
    ///   - side: of the result's longer side, in pixels.
    ///   - limit: the value of the last colour.
    ///   - showsPixels: of the picture, and of maps of single pixels, instead of smoothing them.
    public func picture(
        of map: ExplanationMap, over picture: Image, side: Int, limit: Float, showsPixels: Bool = false
    ) -> Image {
        let scale = Double(side) / Double(max(picture.width, picture.height, 1))
        let size = Size(
            width: max(1, Int((Double(picture.width) * scale).rounded())),
            height: max(1, Int((Double(picture.height) * scale).rounded())))
        var drawing = MapPicture(
            levels: levels(of: map, limit: limit, isSigned: isSigned), width: map.width, height: map.height, size: size,
            isPixelated: isFine && showsPixels, colormap: colormap)
        drawing.isSigned = isSigned
        // Single pixels hide nothing, and are lost where they are pale.
        if isFine { (drawing.opacity, drawing.strength) = (1, 1.5) }
        return drawing.over(
            picture.resized(width: size.width, height: size.height, interpolation: showsPixels ? .nearest : .bicubic))
    }
}
