import Testing

@testable import Transport

struct DeadlineWheelTests {
  private final class Member: Connection {
    var place = DeadlineWheel.Place.none
    let name: Int
    init(_ name: Int) { self.name = name }
    func check(at now: Int32) -> Int32? { nil }
    func quiesce() {}
    func cut() {}
  }

  private func names(_ members: [any Connection]) -> [Int] { members.compactMap { ($0 as? Member)?.name } }

  @Test func `members come out in the tick of their deadline`() {
    let wheel = Box(DeadlineWheel())
    wheel { $0.add(Member(1), deadline: 1) }
    wheel { $0.add(Member(3), deadline: 3) }
    wheel { $0.add(Member(2), deadline: 3) }
    #expect(names(wheel { $0.advance() }) == [1])
    #expect(wheel { $0.advance() }.isEmpty)
    #expect(names(wheel { $0.advance() }) == [3, 2])
    #expect(wheel { $0.count } == 0)
  }

  @Test func `a deadline that has passed means the next tick`() {
    let wheel = Box(DeadlineWheel())
    for _ in 0..<300 { _ = wheel { $0.advance() } }
    wheel { $0.add(Member(1), deadline: 7) }
    #expect(names(wheel { $0.advance() }) == [1])
  }

  @Test func `a deadline out of reach is asked about earlier`() {
    let wheel = Box(DeadlineWheel())
    wheel { $0.add(Member(1), deadline: .max) }
    for _ in 1..<DeadlineWheel.reach { #expect(wheel { $0.advance() }.isEmpty) }
    #expect(names(wheel { $0.advance() }) == [1])
  }

  @Test func `those who left do not come out`() {
    let wheel = Box(DeadlineWheel())
    let members = (0..<10).map { Member($0) }
    for member in members { wheel { $0.add(member, deadline: 1) } }
    for member in members where member.name % 3 == 0 { wheel { $0.remove(member) } }
    wheel { $0.remove(members[0]) }
    #expect(wheel { $0.count } == 6)
    #expect(names(wheel { $0.advance() }).sorted() == [1, 2, 4, 5, 7, 8])
  }
}
