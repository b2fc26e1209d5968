/// Finds the number of a request in a message that can't be read, whether it is too long or no JSON.
///
/// The number is looked for where a request has it, as the member `r` of an object in an object; nothing else
/// is checked. The message may come in any number of parts, and none of it is kept.
struct RequestNumberScanner {
  private enum State {
    case plain
    /// In a string of so many bytes until here, which is the name `r` if it ends now.
    case string(count: Int, isName: Bool)
    case escape
    /// Behind a string that was the name.
    case name
    /// Behind the colon after it, with the digits so far.
    case digits(Int64?)
  }

  /// The number, once it has been found.
  private(set) var number: Int64?
  private var state = State.plain
  private var depth = 0

  mutating func scan(_ bytes: some Sequence<UInt8>) {
    guard number == nil else { return }
    for byte in bytes {
      take(byte)
      if number != nil { return }
    }
  }

  private mutating func take(_ byte: UInt8) {
    switch state {
    case .escape: state = .string(count: 2, isName: false)
    case .string(let count, let isName): inString(byte, count, isName)
    case .digits(let digits): inNumber(byte, digits)
    case .name where byte == UInt8(ascii: ":"): state = .digits(nil)
    case .name where byte == UInt8(ascii: " "): break
    case .name, .plain: outside(byte)
    }
  }

  private mutating func inString(_ byte: UInt8, _ count: Int, _ isName: Bool) {
    switch byte {
    case UInt8(ascii: "\\"): state = .escape
    case UInt8(ascii: "\""): state = isName && depth == 2 ? .name : .plain
    default: state = .string(count: min(count + 1, 2), isName: count == 0 && byte == UInt8(ascii: "r"))
    }
  }

  private mutating func inNumber(_ byte: UInt8, _ digits: Int64?) {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      let value = (digits ?? 0) * 10 + Int64(byte - UInt8(ascii: "0"))
      if RequestReader.numbers.contains(value) { state = .digits(value) } else { outside(byte) }
    case UInt8(ascii: " ") where digits == nil: break
    case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: " "):
      number = digits
      outside(byte)
    default: outside(byte)
    }
  }

  private mutating func outside(_ byte: UInt8) {
    state = .plain
    switch byte {
    case UInt8(ascii: "\""): state = .string(count: 0, isName: false)
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth &-= 1
    default: break
    }
  }
}
