public import ArgumentParser

/// A way to explain a target on an image by a map. It is its own arguments, as a query is; one method a file of `Methods`.
public protocol ExplanationMethod: ParsableArguments {
    /// The command's name.
    static var name: String { get }
    /// One line for help.
    static var abstract: String { get }
    /// All that the map depends on beside image, target and network, in a fixed order: what it is kept under, and written into pictures.
    var parameters: [(name: String, value: String)] { get }
    /// - Throws: `ExplanationError`, `NetworkError`.
    func map(of subject: Subject, target: Target, by explainer: Explainer) throws -> ExplanationMap
}

/// Every method there is.
public let explanationMethods: [any ExplanationMethod.Type] = [
    Saliency.self,
    Occlusion.self,
    ClassActivationMap.self,
]
