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

/// The name that oneDNN is linked by: another where there are two, such as ":libdnnl.so.3" (see Tools/test-onednn-3).
let oneDNN = Context.environment["NEURODEX_ONEDNN"] ?? "dnnl"

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let csv: Target.Dependency = .product(name: "SwiftCSV", package: "SwiftCSV")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

let sockets: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")

let package = Package(
    name: "neurodex",
    platforms: [.macOS(.v14)],
    products: [
        .executable(name: "neurodex", targets: ["neurodex"]),
        // What a program of one's own needs to run networks, read and make stores, ask them, and explain: see Examples/.
        .library(name: "NeuralNetwork", targets: ["Images", "NeuralNetwork"]),
        .library(name: "ActivationStore", targets: ["ActivationStore", "Indexing"]),
        .library(name: "Search", targets: ["Search"]),
        .library(name: "Explanations", targets: ["Explanations"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", exact: "0.10.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        // Its sockets alone: FlyingSocks.
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        // Where the system libraries are, and how to install them.
        .systemLibrary(
            name: "SystemOneDNN", path: "Sources/System/SystemOneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .systemLibrary(
            name: "SystemJPEG", path: "Sources/System/SystemJPEG", pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "SystemPNG", path: "Sources/System/SystemPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
        .systemLibrary(
            name: "SystemWebP", path: "Sources/System/SystemWebP", pkgConfig: "libwebpdemux",
            providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),

        // C and C++: the only places that know these libraries' headers.
        .target(
            name: "COneDNN", dependencies: ["SystemOneDNN"], path: "Sources/C/COneDNN",
            linkerSettings: [.linkedLibrary(oneDNN)]),
        .target(name: "CKernels", path: "Sources/C/CKernels"),
        .target(
            name: "CSQLite", path: "Sources/C/CSQLite", cSettings: [.define("SQLITE_CORE")],
            linkerSettings: [.linkedLibrary("sqlite3")]),
        // Also a loadable extension of SQLite: make extension.
        .target(
            name: "CActivationTable", dependencies: ["CKernels", "CSQLite"], path: "Sources/C/CActivationTable",
            cSettings: [.define("SQLITE_CORE")],
            linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "CCodecs", dependencies: ["SystemJPEG", "SystemPNG", "SystemWebP"], path: "Sources/C/CCodecs",
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"), .linkedLibrary("webpdemux"),
                .linkedLibrary("z"),
            ]),
        .systemLibrary(
            name: "SystemZlib", path: "Sources/System/SystemZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "SystemCrypto", path: "Sources/System/SystemCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),

        // The pipeline, in the order data flows; a target imports only targets above it.
        .target(name: "Support", dependencies: ["SystemCrypto"], swiftSettings: strict),
        .target(
            name: "Images", dependencies: ["CKernels", "CCodecs", "Support"], exclude: ["Drawing/Inter-OFL.txt"],
            swiftSettings: strict),
        .target(name: "NeuralNetwork", dependencies: ["COneDNN", "CKernels", "Support", "Images"], swiftSettings: strict),
        .target(
            name: "ActivationStore", dependencies: ["CKernels", "CSQLite", "Support", grdb, sqlite],
            resources: [.embedInCode("schema.sql")], swiftSettings: strict),
        .target(
            name: "Indexing", dependencies: ["Support", "Images", "NeuralNetwork", "ActivationStore", csv],
            swiftSettings: strict),
        .target(
            name: "Search",
            dependencies: [
                "CKernels", "CSQLite", "CActivationTable", "Support", "ActivationStore", "Indexing", argumentParser, sqlite,
            ],
            swiftSettings: strict),
        .target(
            name: "Explanations",
            dependencies: ["Support", "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", argumentParser, csv],
            swiftSettings: strict),
        .target(name: "Walkthrough", dependencies: ["NeuralNetwork"], swiftSettings: strict),
        .target(
            name: "Pages", dependencies: ["Support"], resources: [.embedInCode("style.css")], swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: [
                "Support", "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", "Explanations", "Pages",
                argumentParser,
            ],
            resources: [.embedInCode("report.css")], swiftSettings: strict),
        .target(
            name: "Explorer",
            dependencies: [
                "Support", "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", "Explanations", "Pages",
                argumentParser, sockets,
            ],
            resources: [
                .embedInCode("Assets/page.js"), .embedInCode("Assets/explorer.js"), .embedInCode("Assets/maps.js"),
                .embedInCode("Assets/drop.js"),
                .embedInCode("Assets/review.js"), .embedInCode("Assets/icon.svg"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "neurodex",
            dependencies: [
                "Support", "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", "Explanations", "Walkthrough",
                "Reporting", "Explorer", argumentParser,
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "network-benchmark", dependencies: ["NeuralNetwork", argumentParser], path: "Benchmarks/network",
            exclude: ["compare.py"], swiftSettings: strict),
        .executableTarget(
            name: "agreement-check", dependencies: ["NeuralNetwork", "TestSupport", argumentParser], path: "Benchmarks/agreement",
            swiftSettings: strict),
        .executableTarget(
            name: "explain-benchmark",
            dependencies: ["Images", "NeuralNetwork", "ActivationStore", "Indexing", "Explanations", argumentParser],
            path: "Benchmarks/explain", swiftSettings: strict),
        .executableTarget(
            name: "question-benchmark",
            dependencies: ["ActivationStore", "Search", "Images", "Indexing", "Support", argumentParser],
            path: "Benchmarks/questions", swiftSettings: strict),

        .executableTarget(
            name: "libraries",
            dependencies: ["Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", "Explanations"],
            path: "Examples/libraries"),

        .executableTarget(
            name: "stress-test", dependencies: ["ActivationStore", "Search", "TestSupport", argumentParser, grdb],
            path: "Tests/Stress",
            exclude: ["shim"], swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["SystemZlib", "Images", "NeuralNetwork", "ActivationStore", grdb],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "PagesTests", dependencies: ["Pages"], swiftSettings: strict),
        .testTarget(
            name: "ImagesTests", dependencies: ["Support", "Images", "NeuralNetwork", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "NeuralNetworkTests", dependencies: ["CKernels", "NeuralNetwork", "TestSupport", csv],
            swiftSettings: strict),
        .testTarget(
            name: "ActivationStoreTests",
            dependencies: ["CKernels", "Support", "ActivationStore", "Search", "TestSupport", grdb],
            swiftSettings: strict),
        .testTarget(
            name: "IndexingTests",
            dependencies: ["Support", "Images", "NeuralNetwork", "ActivationStore", "Indexing", "Search", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ExplanationsTests", dependencies: ["Explanations", "TestSupport", argumentParser], swiftSettings: strict),
        .testTarget(
            name: "WalkthroughTests", dependencies: ["Walkthrough", "NeuralNetwork", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SearchTests",
            dependencies: ["CActivationTable", "CKernels", "Support", "Search", "TestSupport", argumentParser, grdb],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: ["ActivationStore", "Support", "Search", "Explorer", "Pages", "neurodex", "TestSupport", csv, grdb],
            swiftSettings: strict),
        .testTarget(name: "ExplorerTests", dependencies: ["Explanations", "Explorer"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)

// Fuzzers, which need libFuzzer to link: `make fuzz-onnx`. Each is a folder of Fuzzing with its corpus.
if Context.environment["NEURODEX_FUZZING"] != nil {
    let fuzzers: [(name: String, dependencies: [Target.Dependency])] = [
        ("onnx", ["NeuralNetwork"]),
        ("images", ["Images"]),
        ("store-reader", ["CKernels", "ActivationStore", "Search", grdb]),
    ]
    for fuzzer in fuzzers {
        package.targets.append(
            .executableTarget(
                name: "fuzz-\(fuzzer.name)", dependencies: fuzzer.dependencies, path: "Fuzzing/\(fuzzer.name)",
                exclude: ["corpus"],
                swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
    }
}

// In place of Foundation's tables of locales: Tools/dist/make. A target, so that its symbol comes before that of the archive,
// which is left out.
if let symbol = Context.environment["NEURODEX_ICU_DATA"] {
    package.targets.append(
        .target(name: "CWithoutLocales", path: "Tools/dist/without-locales", cSettings: [.define("ICU_DATA", to: symbol)]))
    package.targets.first { $0.name == "neurodex" }?.dependencies.append("CWithoutLocales")
}
