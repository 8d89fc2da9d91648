import Images
import Testing

@Suite struct OverlayTests {
    @Test func colormapsHaveTheirEnds() {
        #expect(Colormap.viridis.color(at: 0) == Color(hex: 0x440154))
        #expect(Colormap.viridis.color(at: 1) == Color(hex: 0xFDE725))
        #expect(Colormap.grey.color(at: 0.5) == Color(128, 128, 128))
        for map in Colormap.allCases {
            #expect(map.colors.count == 256, "\(map)")
            #expect(map.color(at: .nan) == map.colors[0] && map.color(at: .infinity) == map.colors[255])
            #expect(map.color(at: -3) == map.colors[0])
        }
        let middle = Colormap.diverging.color(at: 0.5)
        #expect(min(middle.red, middle.green, middle.blue) > 240)
    }

    @Test func scalings() {
        #expect(Overlay.scale([1, 2, 3], .full) == [0, 0.5, 1])
        #expect(Overlay.scale([-1, 0, 2], .symmetric) == [0.25, 0.5, 1])
        #expect(Overlay.scale([0, 5, 20], .fixed(low: 0, high: 10)) == [0, 0.5, 1])
        #expect(Overlay.scale([4, 4], .full) == [0, 0])
        #expect(Overlay.scale([.nan, 0, 1, .infinity], .full) == [0, 0, 1, 1])
    }

    @Test func upsamplingIsBilinearBetweenCentres() {
        #expect(Overlay.upsample([0, 4], width: 2, height: 1, toWidth: 4, toHeight: 2) == [0, 1, 3, 4, 0, 1, 3, 4])
        #expect(Overlay.upsample([7], width: 1, height: 1, toWidth: 3, toHeight: 1) == [7, 7, 7])
    }

    @Test func overlayMixes() {
        let image = Image(width: 4, height: 4, fill: .white)
        let map = [Float](repeating: 0, count: 4)
        let half = Overlay.picture(of: map, width: 2, height: 2, over: image, colormap: .grey, opacity: 0.5)
        #expect(half == Image(width: 4, height: 4, fill: Color(128, 128, 128)))
        #expect(Overlay.picture(of: map, width: 2, height: 2, over: image, opacity: 0) == image)
    }
}
