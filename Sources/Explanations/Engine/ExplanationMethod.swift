import ActivationStore
public import ArgumentParser
import Foundation
public import Images
import Search

/// A way to explain a target on an image by a map. It is its own arguments, as a query is; one method a file of `Methods`.
public protocol ExplanationMethod: ParsableArguments {
    /// The command's name.
    static var name: String { get }
    /// One line for help.
    static var abstract: String { get }
    /// The options that make the same map again from the same image, target and network, defaults spelt out, in a fixed order: what the
    /// map is kept under, and what pictures say made them. Parsed, they are this method.
    var arguments: [String] { get }
    /// The method with its parameters, for the heading of a figure.
    var caption: String { get }
    /// How a map of the method is drawn.
    /// - Parameter target: what it is of.
    func look(of map: ExplanationMap, target: Target) -> MapLook
    /// - Throws: `ExplanationError`, `NetworkError`.
    func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap
    /// Whether maps of one image differ between targets.
    var dependsOnTarget: Bool { get }
    /// What its maps tell apart; the limits of checks depend on it.
    var grain: MapGrain { get }
    /// About how many times a map runs a network whose input is `height` × `width`, forward or back.
    func passes(height: Int, width: Int) -> Int
    /// The picture of one explanation alone, and the command that makes it: its options, and what it takes without a name.
    /// - Throws: `ExplanationError.notFinite` for a map that cannot be drawn.
    func drawing(of explanation: Explanation, over subject: InputImage, in archive: ExplanationArchive) throws -> Drawing
    /// What of a map is outlined in pictures and listed: rectangles in a picture of `size`.
    func boxes(of map: ExplanationMap, in size: Size) -> [Rectangle]
    /// Why nothing is outlined that could be; nil where something is, or nothing could be.
    func reasonForNoBox(of map: ExplanationMap, in size: Size) -> String?
}

/// What a map tells apart.
public enum MapGrain: String, Sendable {
    /// Single pixels: gradients and what is made of them.
    case pixels
    /// Regions of many pixels: windows that were covered, cells of a late layer.
    case regions
}

/// A picture, and the arguments that make it again.
public struct Drawing: Sendable {
    public var page: Page
    public var options: [String]
    public var operands: [String]

    public init(page: Page, options: [String], operands: [String]) {
        (self.page, self.options, self.operands) = (page, options, operands)
    }
}

extension Int {
    /// The product; the largest number there is where it is too large for one.
    public func saturated(times other: Int) -> Int {
        let (product, isTooLarge) = multipliedReportingOverflow(by: other)
        return isTooLarge ? .max : product
    }
}

extension ExplanationMethod {
    /// The map, zero where the network's input shows no picture but padding.
    /// - Throws: as `map`.
    public func pictureMap(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let served = try explainer.served(target, on: subject)
        return try map(of: subject, target: served.target, by: served.explainer).confined(to: subject.framed.placement)
    }

    /// The same as `boxes`, of the picture alone.
    func boxes(of map: ExplanationMap, on subject: InputImage) -> [Rectangle] {
        let placement = subject.framed.placement
        let all = boxes(of: map, in: placement.crop)
        return placement.isPadded ? all.map { $0.clipped(to: placement.shownRectangle) }.filter { !$0.isEmpty } : all
    }

    public func passes(height: Int, width: Int) -> Int { 2 }

    public func drawing(of explanation: Explanation, over subject: InputImage, in archive: ExplanationArchive) throws -> Drawing {
        let row = archive.row(of: subject, panels: [try archive.panel(of: explanation, on: subject, by: self)])
        // Half as large as a figure that is asked for: it is made for every result that is kept.
        let size = Figure.defaultSize / 2
        return Drawing(
            page: try Figure(heading: caption, rows: [row], size: size).page(),
            options: arguments + Spelling.option("--target", explanation.target.text) + Spelling.option("--size", "\(size)"),
            operands: [archive.store.path, explanation.image])
    }

    public var dependsOnTarget: Bool { true }

    public func boxes(of map: ExplanationMap, in size: Size) -> [Rectangle] { [] }

    public func reasonForNoBox(of map: ExplanationMap, in size: Size) -> String? { nil }
}

/// Every method there is.
public let explanationMethods: [any ExplanationMethod.Type] = [
    Saliency.self,
    Occlusion.self,
    ClassActivationMap.self,
    Deconvolution.self,
    Attention.self,
]
