extension Model {
  /// What a model is for (FORMAT.md §1, *task*). No engine reads it.
  public struct Task: Equatable, Sendable {
    /// One name per read-out neuron, or none.
    public var classNames: [String]
    /// The data set the model was trained on.
    public var dataset: String
    /// The recipe that made the model, as text.
    public var recipe: String
    /// Accuracy of the float network, a fraction in 0...1; 0: unknown.
    public var floatAccuracy: Float
    /// Accuracy of the integer model, a fraction in 0...1; 0: unknown.
    public var integerAccuracy: Float
    /// Per population, in order: the real value of one membrane unit as 1 value, C or N values.
    /// None, or one list per population.
    public var units: [[Float]]

    /// A task; everything unknown by default.
    public init(
      classNames: [String] = [], dataset: String = "", recipe: String = "",
      floatAccuracy: Float = 0, integerAccuracy: Float = 0, units: [[Float]] = []
    ) {
      self.classNames = classNames
      self.dataset = dataset
      self.recipe = recipe
      self.floatAccuracy = floatAccuracy
      self.integerAccuracy = integerAccuracy
      self.units = units
    }
  }
}
