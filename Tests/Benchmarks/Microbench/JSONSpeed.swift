import Foundation
import JSONTree

/// JSON text to `Node` and back, beside Foundation's JSONSerialization, on a made-up chat of about 1 MB.
enum JSONSpeed {
  private static let rounds = 15

  static func parse() throws {
    let text = sample()
    var ours: [Double] = [], theirs: [Double] = []
    let data = Data(text)
    for _ in 0..<rounds {
      ours.append(try Stopwatch.measure { keep(try Node.parse(utf8: text)) })
      theirs.append(try Stopwatch.measure { keep(try JSONSerialization.jsonObject(with: data)) })
    }
    try tell(ours, theirs, bytes: text.count)
  }

  static func write() throws {
    let text = sample()
    let node = try Node.parse(utf8: text)
    let object = try JSONSerialization.jsonObject(with: Data(text))
    var ours: [Double] = [], theirs: [Double] = []
    for _ in 0..<rounds {
      ours.append(
        Stopwatch.measure {
          var out: [UInt8] = []
          node.write(.export, into: &out)
          keep(out)
        })
      theirs.append(try Stopwatch.measure { keep(try JSONSerialization.data(withJSONObject: object)) })
    }
    try tell(ours, theirs, bytes: text.count)
  }

  private static func tell(_ ours: [Double], _ theirs: [Double], bytes: Int) throws {
    let ours = Stopwatch.median(ours), theirs = Stopwatch.median(theirs)
    report(
      ratio: theirs / ours,
      note: "\(Int(Double(bytes) / ours / 1e6)) to \(Int(Double(bytes) / theirs / 1e6)) MB/s, \(bytes) bytes")
  }

  /// A value that the optimiser must not do away with.
  @inline(never)
  private static func keep(_ value: some Any) {}

  /// Rooms with messages under push ids, a few accents, numbers of both kinds.
  private static func sample() -> [UInt8] {
    var ids = PushIDGenerator()
    var random = SystemRandomNumberGenerator()
    var rooms: [String] = []
    for room in 0..<40 {
      var messages: [String] = []
      for index in 0..<150 {
        let id = ids.next(nowMilliseconds: 1_700_000_000_000 + Int64(index), using: &random)
        messages.append(
          #""\#(id.text)":{"author":"user\#(index % 17)","likes":\#(index * 7 % 90),"#
            + #""seen":\#(index % 3 == 0),"text":"message \#(index), said in passing at the café — "#
            + #"\"quoted\" too","weight":\#(index).25}"#
        )
      }
      rooms.append(
        #""room\#(room)":{"messages":{\#(messages.joined(separator: ","))},"title":"Room \#(room)"}"#)
    }
    return Array("{\"rooms\":{\(rooms.joined(separator: ","))}}".utf8)
  }
}
