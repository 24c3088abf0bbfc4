// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "swift-snn",
  dependencies: [],
  targets: [
    // MARK: C and system libraries
    .systemLibrary(name: "COneDNN"),
    .systemLibrary(name: "CZlib"),

    // MARK: Swift libraries, bottom-up
    .target(name: "Tensors", dependencies: ["COneDNN"]),
    .target(name: "Spiking", dependencies: ["Tensors"]),
    .target(name: "ModelCompression", dependencies: ["Spiking", "Tensors"]),
    .target(name: "Learning", dependencies: ["Spiking", "Tensors"]),
    .target(name: "Datasets", dependencies: ["Tensors", "CZlib"]),

    // MARK: Executables and tests
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
  ]
)
