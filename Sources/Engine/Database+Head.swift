import JSONTree

// What the next write stands on: the committed state, and on top of it whatever has been sequenced since.
//
//     committed ── batches with trees ──▸ built ── batches of noted puts ──▸ head
//
// A put that nobody needs to see in the tree before it is durable is only noted, and made in the committed
// tree itself once it is: in place, as nobody holds the tree of before. What has to look at the tree with
// everything in it (rules that read data, conditions, server values, updates, puts at places that overlap)
// has it built, and from then on every step of the open batch holds the trees before and after it.
extension Database {
  /// The state that noted puts stand on.
  var base: State { built ?? committed }

  /// The state with everything that has been sequenced.
  func head() -> State {
    buildSteps(of: [inFlight].compactMap(\.self) + sealed + [open])
    return base
  }

  /// Whether a value can be noted to be put at a path.
  func canNote(_ path: Path) -> Bool {
    if open.holdsTrees || path.endsWithPriority { return false }
    if open.places.overlap(path) || inFlight?.places.overlap(path) == true { return false }
    return !sealed.contains { $0.places.overlap(path) }
  }

  /// The open batch ends in another state than the one that it began with.
  func advance(to state: State) {
    built = state
    open.holdsTrees = true
  }

  /// Gives the steps of these batches, which are all that wait or the first of them, the trees before and
  /// after them.
  func buildSteps(of batches: [Batch]) {
    for batch in batches where batch.hasNotedPuts {
      var state = base
      for place in batch.steps.indices {
        let before = state.data
        batch.steps[place].carryOut(in: &state.data)
        batch.steps[place].trees = Step.Trees(before: before, after: state.data)
      }
      built = state
      batch.holdsTrees = true
      batch.places = PutPlaces()
      if batch !== open { batch.after = state }
    }
  }

  /// A batch with trees has been committed: if it was the last, what waits stands on the committed state.
  func settleHead() {
    if open.holdsTrees || sealed.contains(where: \.holdsTrees) { return }
    built = nil
  }
}
