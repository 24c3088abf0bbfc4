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
      name: "SNNRuntime", path: "runtime-c", exclude: ["loader", "tests"], sources: ["host"],
      publicHeadersPath: "include"),
    .target(
      name: "SNNDevice", path: "runtime-c/firmware", publicHeadersPath: "swift",
      cSettings: [.headerSearchPath("../include")]),
    .target(
      name: "SNNLoader", dependencies: ["SNNRuntime"], path: "runtime-c/loader",
      sources: [
        "snn_loader.c", "loader_arena.c", "loader_model.c", "loader_text.c", "loader_weights.c",
        "generated",
      ],
      publicHeadersPath: "include",
      cSettings: [.headerSearchPath("generated")],
      linkerSettings: [.linkedLibrary("protobuf-c"), .linkedLibrary("z")]),

    // MARK: Swift libraries, bottom-up
    .target(name: "Wiring"),
    .target(name: "Files"),
    .target(name: "Tensors", dependencies: ["COneDNN", "Wiring"]),
    .target(name: "Datasets", dependencies: ["Tensors", "CZlib", "Wiring"]),
    .target(name: "Spiking", dependencies: ["CKernels", "Tensors", "Wiring"]),
    .target(name: "ModelCompression", dependencies: ["Spiking", "Tensors", "Wiring"]),
    .target(
      name: "Learning",
      dependencies: [
        "CKernels", "Files", "Spiking", "Tensors", .product(name: "Yams", package: "Yams"),
        "Wiring",
      ]),
    .target(
      name: "ModelFormat",
      dependencies: [
        "CZlib", "Files", .product(name: "SwiftProtobuf", package: "swift-protobuf"), "Wiring",
      ]),
    .target(
      name: "ModelExport",
      dependencies: ["Files", "ModelCompression", "ModelFormat", "Spiking", "Tensors", "Wiring"]),
    .target(
      name: "Evaluation",
      dependencies: ["Datasets", "ModelFormat", "SNNLoader", "SNNRuntime", "Tensors", "Wiring"]),
    .target(
      name: "Commands",
      dependencies: [
        "Datasets", "Evaluation", "Files", "Learning", "ModelCompression", "ModelExport",
        "ModelFormat", "Spiking", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), "Wiring",
      ]),

    // MARK: Executables and tests
    .executableTarget(name: "snn-train", dependencies: ["Commands"]),
    .executableTarget(name: "snn-export", dependencies: ["Commands"]),
    .executableTarget(name: "snn-run", dependencies: ["Commands"]),
    .executableTarget(name: "snn-check", dependencies: ["Commands"]),
    .executableTarget(name: "snn-bench", dependencies: ["Commands"]),
    .target(
      name: "TestMathematics", dependencies: ["Tensors", "Wiring"],
      path: "Tests/TestSupport/TestMathematics"),
    .target(
      name: "ModelFixtures", dependencies: ["ModelFormat", "Tensors", "Wiring"],
      path: "Tests/TestSupport/ModelFixtures"),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .testTarget(name: "WiringTests", dependencies: ["Wiring"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestMathematics", "Wiring"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors", "Wiring"]),
    .testTarget(
      name: "SpikingTests", dependencies: ["Spiking", "Tensors", "TestMathematics", "Wiring"],
      exclude: ["Oracle"]),
    .testTarget(
      name: "LearningTests",
      dependencies: ["Learning", "Spiking", "Tensors", "TestMathematics", "Wiring"]),
    .testTarget(
      name: "ModelFormatTests",
      dependencies: [
        "ModelFormat", "ModelFixtures", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        "Tensors", "Wiring",
      ]),
    .testTarget(
      name: "ModelCompressionTests",
      dependencies: ["ModelCompression", "Spiking", "Tensors", "TestMathematics", "Wiring"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: ["Datasets", "Evaluation", "ModelFixtures", "ModelFormat", "Wiring"]),
    .testTarget(
      name: "ModelExportTests",
      dependencies: [
        "ModelCompression", "ModelExport", "ModelFixtures", "ModelFormat", "Spiking", "Tensors",
        "Wiring",
      ]),
    .testTarget(
      name: "RuntimeTests",
      dependencies: [
        "Datasets", "Evaluation", "ModelExport", "ModelFixtures", "ModelFormat", "SNNDevice",
        "Tensors", "Wiring",
      ]),
    .testTarget(
      name: "CommandsTests",
      dependencies: ["Commands", "Learning", "ModelCompression", "Spiking", "Tensors", "Wiring"]),
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
