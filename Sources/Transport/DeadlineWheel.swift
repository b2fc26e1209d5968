/// A connection as its loop's registry sees it.
protocol Connection: AnyObject {
  /// Kept by the wheel.
  var place: DeadlineWheel.Place { get set }
  /// A deadline may have come: acts if so, and says when to ask again; nil when it is closed.
  func check(at now: Int32) -> Int32?
  /// Ends as soon as it can do so politely: the server shuts down.
  func quiesce()
  /// Ends now.
  func cut()
}

/// Deadlines of many connections for the price of one timer: a ring of slots, each with the members whose
/// deadline falls into that tick. Activity moves nobody: a member whose time came too early is put in again.
struct DeadlineWheel {
  /// Where a member stands, so that it can leave without a search.
  struct Place: Equatable {
    fileprivate var slot: Int32
    fileprivate var index: Int32

    /// In no wheel.
    static let none = Place(slot: -1, index: -1)
  }

  /// A deadline further away than this is asked about earlier.
  static let reach: Int32 = 127

  private var slots: [[any Connection]] = Array(repeating: [], count: Int(reach) + 1)
  /// The ticks that have passed.
  private(set) var now: Int32 = 0
  /// Members in the wheel.
  private(set) var count = 0

  /// Puts a member in that is not in, for a deadline in the future; an earlier one means the next tick.
  mutating func add(_ member: any Connection, deadline: Int32) {
    precondition(member.place == .none, "a member stands in one place")
    let ahead = min(max(deadline &- now, 1), Self.reach)
    let slot = Int(now &+ ahead) & Int(Self.reach)
    member.place = Place(slot: Int32(slot), index: Int32(slots[slot].count))
    slots[slot].append(member)
    count += 1
  }

  /// Takes a member out, if it is in.
  mutating func remove(_ member: any Connection) {
    let place = member.place
    guard place != .none else { return }
    member.place = .none
    count -= 1
    let slot = Int(place.slot)
    let last = slots[slot].removeLast()
    if last !== member {
      slots[slot][Int(place.index)] = last
      last.place = place
    }
  }

  /// One tick passes: takes out those whose deadline it is.
  mutating func advance() -> [any Connection] {
    now &+= 1
    let slot = Int(now) & Int(Self.reach)
    let due = slots[slot]
    guard !due.isEmpty else { return due }
    slots[slot] = []
    count -= due.count
    for member in due { member.place = .none }
    return due
  }

  /// Everybody in the wheel.
  var members: [any Connection] { slots.flatMap { $0 } }
}
