// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "swift-snn",
  dependencies: [
    // Exact: the generated code in Sources/ModelFormat/Generated comes from this version.
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0")
  ],
  targets: [
    // MARK: C and system libraries
    .systemLibrary(name: "COneDNN"),
    .systemLibrary(name: "CZlib"),

    // MARK: Swift libraries, bottom-up
    .target(name: "Tensors", dependencies: ["COneDNN"]),
    .target(name: "Datasets", dependencies: ["Tensors", "CZlib"]),
    .target(name: "Spiking", dependencies: ["Tensors"]),
    .target(name: "ModelCompression", dependencies: ["Spiking", "Tensors"]),
    .target(name: "Learning", dependencies: ["Spiking", "Tensors"]),
    .target(
      name: "ModelFormat",
      dependencies: ["CZlib", .product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    .target(
      name: "ModelExport", dependencies: ["ModelCompression", "ModelFormat", "Spiking", "Tensors"]),

    // MARK: Executables and tests
    .target(
      name: "ModelFixtures", dependencies: ["ModelFormat", "Tensors"],
      path: "Tests/TestSupport/ModelFixtures"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
    .testTarget(name: "ModelFormatTests", dependencies: ["ModelFormat", "ModelFixtures", "Tensors"]),
    .testTarget(
      name: "ModelExportTests", dependencies: ["ModelExport", "ModelFixtures", "ModelFormat"]),
  ]
)
