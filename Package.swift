// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "swift-snn",
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
  ],
  targets: [
    // MARK: C and system libraries
    .systemLibrary(name: "COneDNN"),

    // MARK: Swift libraries, bottom-up
    .target(name: "Tensors", dependencies: ["COneDNN"]),
    .target(name: "Spiking", dependencies: ["Tensors"]),
    .target(
      name: "Learning",
      dependencies: ["Spiking", "Tensors", .product(name: "Yams", package: "Yams")]),

    // MARK: Executables and tests
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "LearningTests", dependencies: ["Learning", "Spiking", "Tensors"]),
  ]
)
