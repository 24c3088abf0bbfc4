// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "swift-snn",
  dependencies: [
    // Exact: the generated code in Sources/ModelFormat/Generated comes from this version.
    // No traits: none is needed, and the package manager passes several in an order that changes from
    // call to call, which compiles the library anew.
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // MARK: C and system libraries
    .systemLibrary(name: "COneDNN"),
    .systemLibrary(name: "CZlib"),
    .target(name: "CKernels"),
    .target(
      name: "SNNRuntime", path: "runtime-c", exclude: ["loader", "tests"], sources: ["src"],
      publicHeadersPath: "include"),
    .target(
      name: "SNNDevice", path: "runtime-c/device", publicHeadersPath: "swift",
      cSettings: [.headerSearchPath("../include")]),
    .target(
      name: "SNNLoader", dependencies: ["SNNRuntime"], path: "runtime-c/loader",
      sources: ["snn_loader.c", "loader_text.c", "loader_weights.c", "generated"],
      publicHeadersPath: "include",
      cSettings: [.headerSearchPath("generated")],
      linkerSettings: [.linkedLibrary("protobuf-c"), .linkedLibrary("z")]),

    // MARK: Swift libraries, bottom-up
    .target(name: "Tensors", dependencies: ["COneDNN"]),
    .target(name: "Datasets", dependencies: ["Tensors", "CZlib"]),
    .target(name: "Spiking", dependencies: ["CKernels", "Tensors"]),
    .target(name: "ModelCompression", dependencies: ["Spiking", "Tensors"]),
    .target(
      name: "Learning",
      dependencies: ["CKernels", "Spiking", "Tensors", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "ModelFormat",
      dependencies: ["CZlib", .product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    .target(
      name: "ModelExport", dependencies: ["ModelCompression", "ModelFormat", "Spiking", "Tensors"]),
    .target(
      name: "Evaluation",
      dependencies: ["Datasets", "ModelFormat", "SNNLoader", "SNNRuntime", "Tensors"]),
    .target(
      name: "Commands",
      dependencies: [
        "Datasets", "Evaluation", "Learning", "ModelCompression", "ModelExport", "ModelFormat",
        "Spiking",
        "Tensors", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // MARK: Executables and tests
    .executableTarget(name: "snn-train", dependencies: ["Commands"]),
    .executableTarget(name: "snn-export", dependencies: ["Commands"]),
    .executableTarget(name: "snn-run", dependencies: ["Commands"]),
    .executableTarget(name: "snn-check", dependencies: ["Commands"]),
    .executableTarget(name: "snn-bench", dependencies: ["Commands"]),
    .target(
      name: "TestMathematics", dependencies: ["Tensors"],
      path: "Tests/TestSupport/TestMathematics"),
    .target(
      name: "ModelFixtures", dependencies: ["ModelFormat", "Tensors"],
      path: "Tests/TestSupport/ModelFixtures"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestMathematics"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
    .testTarget(
      name: "SpikingTests", dependencies: ["Spiking", "Tensors", "TestMathematics"],
      exclude: ["Oracle"]),
    .testTarget(
      name: "LearningTests", dependencies: ["Learning", "Spiking", "Tensors", "TestMathematics"]),
    .testTarget(
      name: "ModelFormatTests", dependencies: ["ModelFormat", "ModelFixtures", "Tensors"]),
    .testTarget(
      name: "ModelCompressionTests",
      dependencies: ["ModelCompression", "Spiking", "Tensors", "TestMathematics"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: ["Datasets", "Evaluation", "ModelFixtures", "ModelFormat"]),
    .testTarget(
      name: "ModelExportTests",
      dependencies: [
        "ModelCompression", "ModelExport", "ModelFixtures", "ModelFormat", "Spiking", "Tensors",
      ]),
    .testTarget(
      name: "RuntimeTests",
      dependencies: [
        "Datasets", "Evaluation", "ModelExport", "ModelFixtures", "ModelFormat", "SNNDevice",
        "Tensors",
      ]),
    .testTarget(
      name: "CommandsTests",
      dependencies: ["Commands", "Learning", "ModelCompression", "Spiking", "Tensors"]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Learning", "ModelFixtures", "ModelFormat", "Tensors", "snn-check", "snn-export", "snn-run",
        "snn-train",
      ],
      exclude: ["Snapshots"]),
    .testTarget(name: "ArchitectureTests"),
  ]
)
