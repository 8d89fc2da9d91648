import Explanations
import Foundation
import Images
import Testing

/// Colours that carry a meaning, as people with each kind of colour blindness and readers of a grey print see them, and the
/// contrast of all text.
@Suite struct LegibilityTests {
    /// CIE 1976: 2 is just seen side by side; here things are told apart across a page.
    private static let apart = 20.0

    private typealias Palette = Page.Palette

    @Test(arguments: Vision.allCases) func coloursOfOneMeaningStayApart(vision: Vision) {
        let pairs: [(String, Color, Color)] = [
            ("what came and went", Palette.came, Palette.went), ("a warning and text", Palette.alarm, Palette.ink),
            ("a warning and quiet text", Palette.alarm, Palette.quiet), ("the two lines of a box", Palette.mark, Palette.ink),
            ("a bar and its ground", Palette.came, Palette.mat),
            ("below and above zero", Colormap.diverging.color(at: 0), Colormap.diverging.color(at: 1)),
            ("half of either", Colormap.diverging.color(at: 0.25), Colormap.diverging.color(at: 0.75)),
        ]
        for (what, a, b) in pairs {
            let distance = vision.distance(a, b)
            #expect(distance >= Self.apart, "\(what): \(distance) to \(vision)")
        }
        // A scale goes all the way through what is seen.
        for map in Colormap.allCases where map != .diverging {
            #expect(vision.distance(map.color(at: 0), map.color(at: 1)) >= 2 * Self.apart, "\(map) to \(vision)")
        }
    }

    /// The simulation itself: red and green as bright as each other are one colour to most who are colour-blind, and two to others.
    @Test func theSimulationKnowsRedFromGreen() {
        let (red, green) = (Color(hex: 0xC1553B), Color(hex: 0x6C8A2B))
        #expect(Vision.common.distance(red, green) > 60)
        #expect(Vision.deutan.distance(red, green) < 0.45 * Vision.common.distance(red, green))
        for vision in Vision.allCases {
            #expect(vision.distance(.black, Color(255, 255, 255)) > 99 && vision.distance(red, red) == 0)
        }
    }

    /// In grey print the order of a map's colours is the order of its values; of the diverging one, of the magnitudes.
    @Test func mapsKeepTheirOrderInGrey() {
        for map in [Colormap.viridis, .magma, .inferno, .grey] {
            let lightness = map.colors.map { Vision.common.lab($0).lightness }
            // An eighth of a level of 255 is rounding.
            for (dark, light) in zip(lightness, lightness.dropFirst()) { #expect(light > dark - 0.05, "\(map)") }
            #expect(lightness[255] - lightness[0] > 70)
        }
        let lightness = Colormap.diverging.colors.map { Vision.common.lab($0).lightness }
        for index in 1..<128 {
            #expect(lightness[index] > lightness[index - 1] - 0.05)
            #expect(lightness[255 - index] > lightness[256 - index] - 0.05)
        }
        #expect(lightness[127] > 95 && lightness[0] < 30 && lightness[255] < 30)
    }

    /// Every text of every kind of page on what it stands on (WCAG 2.1, level AA).
    @Test func everyTextHasAContrastOfFourAndAHalf() throws {
        var texts = 0
        for (name, page) in try SamplePages.all() {
            for (index, mark) in page.marks.enumerated() {
                guard case .text(let text, let x, let y, let font, let color) = mark else { continue }
                texts += 1
                let point = (x + font.width(of: text) / 2, y + font.lineHeight / 2)
                let ground = page.ground(at: point, before: index)
                let contrast = Vision.contrast(color, ground)
                #expect(contrast >= 4.5, "\(name): '\(text)' has \(contrast) on \(ground)")
            }
        }
        #expect(texts > 60)
    }
}

extension Page {
    /// The colour that is filled at a place before a mark is drawn.
    fileprivate func ground(at point: (x: Double, y: Double), before index: Int) -> Color {
        for mark in marks[..<index].reversed() {
            guard case .area(let area, let color) = mark else { continue }
            if point.x >= area.x, point.x < area.x + area.width, point.y >= area.y, point.y < area.y + area.height {
                return color
            }
        }
        return Palette.ground
    }
}

/// How colours are seen: by most people, and without one of the three kinds of cones.
///
/// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.
enum Vision: CaseIterable {
    case common, protan, deutan, tritan

    private var rows: [[Double]] {
        switch self {
        case .common: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        case .protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
        case .deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        case .tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
        }
    }

    private static func linear(_ color: Color) -> [Double] {
        [color.red, color.green, color.blue].map {
            let share = Double($0) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
    }

    private func seen(_ color: Color) -> [Double] {
        let linear = Self.linear(color)
        return rows.map { row in min(1, max(0, zip(row, linear).reduce(0) { $0 + $1.0 * $1.1 })) }
    }

    /// CIE L*a*b* under D65.
    func lab(_ color: Color) -> (lightness: Double, a: Double, b: Double) {
        let seen = seen(color)
        func part(_ weights: [Double], _ white: Double) -> Double {
            let share = zip(weights, seen).reduce(0) { $0 + $1.0 * $1.1 } / white
            return share > 216.0 / 24389 ? cbrt(share) : (24389.0 / 27 * share + 16) / 116
        }
        let x = part([0.4124564, 0.3575761, 0.1804375], 0.95047)
        let y = part([0.2126729, 0.7151522, 0.0721750], 1)
        let z = part([0.0193339, 0.1191920, 0.9503041], 1.08883)
        return (116 * y - 16, 500 * (x - y), 200 * (y - z))
    }

    /// ΔE of CIE 1976.
    func distance(_ first: Color, _ second: Color) -> Double {
        let (p, q) = (lab(first), lab(second))
        return ((p.lightness - q.lightness) * (p.lightness - q.lightness) + (p.a - q.a) * (p.a - q.a) + (p.b - q.b) * (p.b - q.b))
            .squareRoot()
    }

    /// 1 to 21.
    static func contrast(_ first: Color, _ second: Color) -> Double {
        func luminance(_ color: Color) -> Double {
            let linear = linear(color)
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        let (p, q) = (luminance(first), luminance(second))
        return (max(p, q) + 0.05) / (min(p, q) + 0.05)
    }
}
