// swift-tools-version:6.2
import PackageDescription

/// Every Swift target of ours is compiled with these: explicit `any`, imports internal unless said otherwise,
/// members visible only from modules a file imports itself, and no warning let through.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
    name: "neurodex",
    platforms: [.macOS(.v14)],
    products: [
        .executable(name: "neurodex", targets: ["neurodex"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        // C and C++: the only places that know these libraries' headers.
        .target(
            name: "COneDNN",
            linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CKernels"),
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
        .systemLibrary(
            name: "CWebP", pkgConfig: "libwebp",
            providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        // The pipeline, in the order data flows; a target imports only targets above it.
        .target(
            name: "Images", dependencies: ["CKernels", "CTurboJPEG", "CPNG", "CWebP"], swiftSettings: strict),
        .target(
            name: "NeuralNetwork", dependencies: ["COneDNN", "CKernels", "Images", crypto, protobuf],
            exclude: ["ONNX/onnx.proto"], swiftSettings: strict),
        .target(
            name: "ActivationStore", dependencies: ["CKernels", "CZlib", grdb, sqlite],
            resources: [.embedInCode("schema.sql")], swiftSettings: strict),
        .target(
            name: "Indexing", dependencies: ["Images", "NeuralNetwork", "ActivationStore", crypto],
            swiftSettings: strict),
        .target(
            name: "Search", dependencies: ["CKernels", "ActivationStore", argumentParser, grdb, sqlite],
            swiftSettings: strict),
        .executableTarget(
            name: "neurodex",
            dependencies: [
                "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", argumentParser,
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["Images", "NeuralNetwork", "ActivationStore"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "ImagesTests", dependencies: ["Images", "TestSupport", crypto], swiftSettings: strict),
        .testTarget(
            name: "NeuralNetworkTests", dependencies: ["NeuralNetwork", "TestSupport", crypto], swiftSettings: strict),
        .testTarget(
            name: "ActivationStoreTests", dependencies: ["ActivationStore", "TestSupport", grdb],
            swiftSettings: strict),
        .testTarget(
            name: "IndexingTests", dependencies: ["Indexing", "Search", "TestSupport", grdb], swiftSettings: strict),
        .testTarget(
            name: "SearchTests", dependencies: ["Search", "TestSupport", argumentParser, grdb], swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["neurodex", "TestSupport"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)
