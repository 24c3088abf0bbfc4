import Foundation
import Testing

/// Recipes that cannot be trained are refused before a folder is made for them.
@Suite struct RecipeFaultTests {
  private func refusal(
    _ arguments: String..., in folder: ScratchFolder,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let outcome = try Command.train.run(
      ["recipe.yaml", "--out", "run"] + arguments, in: folder)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    #expect(!folder.exists("run"), "\(arguments)", sourceLocation: sourceLocation)
    return outcome.failure(of: .train, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    (
      "data.sett=bars", "recipe: unknown key data.sett, did you mean set?; known here: set, steps, "
    ),
    ("stages.0.optimizer.rate=1", "recipe: unknown key stages.0.optimizer.rate"),
    ("stages.1.quantization.layers.conv1=many", "stages.1.quantization.layers"),
    ("network.steps=four", "network.steps: expected a whole number, found 'four'"),
    ("network.steps=[4]", "network.steps: expected a whole number, found a section or list"),
    ("stages=none", "stages: expected a list of stages, found 'none'"),
    ("stages=[]", "stages: expected at least one stage, found none"),
    ("seed=-1", "seed: expected a whole number ≥ 0, found '-1'"),
    ("name=a/b", "name: expected letters, digits, '-', '_' or '.', at most 64"),
    (
      "name=\(String(repeating: "a", count: 65))",
      "name: expected letters, digits, '-', '_' or '.', at most 64"
    ),
    ("data.set=nowhere", "'nowhere': expected a folder or one of "),
    ("data.stepMilliseconds=1e300", "data.stepMilliseconds: expected a number > 0, at most 10000"),
    ("data.steps=100000", "data.steps: expected 1…4096, found 100000"),
    ("network.architecture=4C9p0-3", "architecture: '4C9p0' does not fit an input of 1×6×6"),
    ("network.architecture=4C3-P16-3", "architecture: 'P16-3' does not fit an input of 4×6×6"),
    ("network.architecture=8-4C3-3", "architecture: '4C3' does not fit an input of "),
    ("network.architecture=2C3-many-3", "network.architecture: expected layers such as "),
    (
      "network.architecture=2C3-8-4",
      "architecture: the read-out has 4 neurons, but the data set has 3 classes"
    ),
    ("stages.0.epochs=0", "stages.0.epochs: expected 1…1000000, found 0"),
    ("stages.0.batch=0", "stages.0.batch: expected 1…1000000, found 0"),
    ("stages.0.name=int4", "stages.1.name: expected a name no other stage has"),
    ("stages.0.optimizer.learningRate=.nan", "stages.0.optimizer.learningRate: expected a number"),
    ("stages.0.optimizer.learningRate=.inf", "stages.0.optimizer.learningRate: expected a number"),
    ("stages.1.quantization.bits=9", "stages.1.quantization.bits: expected 2…8, found 9"),
    ("stages.1.pruning.sparsity=1.0", "stages.1.pruning.sparsity: expected a number 0…<1"),
    (
      "stages.1.quantization.layers.conv9=4",
      "stages.1: compression: no layer 'conv9'; the network has conv1, dense2, readout"
    ),
    ("stages.1.pruning.layers.conv9=0.5", "stages.1: compression: no layer 'conv9'"),
    (
      "stages.1.activity.layers.conv9=0.5",
      "stages.1: activity.layers.conv9: expected a spiking layer, one of conv1, dense2"
    ),
    ("stages.1.augmentation.shift=1000", "stages.1: augmentation.shiftPixels"),
    ("stages.1.augmentation.flip=0.5", "stages.1: augmentation.horizontalFlipProbability"),
    ("nonsense", "override nonsense: expected key.path=value"),
    ("stages.7.epochs=2", "override stages.7.epochs=2: expected an index 0…2, found '7'"),
    ("seed.deeper=2", "override seed.deeper=2: expected a section or list that holds 'deeper'"),
    ("data.set=[1", "recipe: data.set=[1: expected YAML"),
  ])
  func isRefused(override: String, because words: String) throws {
    let folder = try TinyTask.untrained("seed: 3\n" + TinyTask.recipe())
    let line = try refusal("--set", override, in: folder)
    #expect(line.hasPrefix(words), "\(line)")
  }

  @Test func filesThatAreNoRecipe() throws {
    let folder = try TinyTask.untrained()
    try folder.write("name: tiny\ndata: {set: bars\nstages: [\n", to: "recipe.yaml")
    let line = try refusal(in: folder)
    #expect(line.hasPrefix("recipe: recipe.yaml: expected YAML, found 3:"), "\(line)")
    try folder.write("name: a\nname: b\n", to: "recipe.yaml")
    #expect(try refusal(in: folder).hasPrefix("recipe: recipe.yaml: expected YAML, found "))
    try folder.write("", to: "recipe.yaml")
    #expect(try refusal(in: folder) == "recipe: name is missing; expected the run's name")
    try folder.write([0, 1, 2, 0xff, 0xfe], to: "recipe.yaml")
    #expect(try refusal(in: folder).contains("expected"))
    folder.remove("recipe.yaml")
    #expect(try refusal(in: folder) == "recipe.yaml: expected a recipe, found no readable file")
  }

  @Test func divergenceNamesTheLayerAndKeepsTheLastCheckpoint() throws {
    // Two stages are good, a third one without a grid leaves the numbers.
    let folder = try TinyTask.untrained(
      TinyTask.recipe() + """

          - name: wild
            batch: 5
            optimizer: {learningRate: 1e38}
        """)
    let outcome = try Command.train.run("recipe.yaml", "--out", "run", in: folder)
    let line = outcome.failure(of: .train)
    #expect(line.hasPrefix("training diverged in stage wild, epoch 1, batch "), "\(line)")
    #expect(
      ["conv1", "dense2", "readout"].contains { line.contains("of \($0)") }, "\(line)")
    #expect(folder.exists("run/checkpoints/best-int4.ckpt") && !folder.exists("run/results.json"))
    // The checkpoint is that of the last good stage: going on comes to the same end.
    let again = try Command.train.run("recipe.yaml", "--out", "run", "--resume", in: folder)
    #expect(again.output.contains("resuming after stage int4, which is finished\n"))
    #expect(again.failure(of: .train) == line)
  }
}
