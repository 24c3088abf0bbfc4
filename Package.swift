// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "swift-snn",
  dependencies: [],
  targets: [
    // MARK: C and system libraries
    .systemLibrary(name: "COneDNN"),

    // MARK: Swift libraries, bottom-up
    .target(name: "Tensors", dependencies: ["COneDNN"]),
    .target(name: "Spiking", dependencies: ["Tensors"]),
    .target(name: "Learning", dependencies: ["Spiking", "Tensors"]),

    // MARK: Executables and tests
    .target(
      name: "TestMathematics", dependencies: ["Tensors"],
      path: "Tests/TestSupport/TestMathematics"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestMathematics"]),
    .testTarget(
      name: "SpikingTests", dependencies: ["Spiking", "Tensors", "TestMathematics"],
      path: "Tests/SpikingTests", exclude: ["Oracle"]),
    .testTarget(
      name: "LearningTests", dependencies: ["Learning", "Spiking", "Tensors", "TestMathematics"]),
  ]
)
