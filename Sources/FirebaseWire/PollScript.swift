import NIOCore

/// The scripts that answer polls. Nothing in them but numbers, names made here and JSON.
enum PollScript {
  /// Defines the functions that all later answers call: each hands on to the page's own of that number.
  static func appendStart(callback: String, key: PollKey, to script: inout ByteBuffer) {
    script.writeStaticString(
      """
      (function(frame){function pass(name){frame[name]=function(){
      var own=frame.parent&&frame.parent[name+"
      """)
    script.writeString(callback)
    script.writeString(
      """
      "];if(own)return own.apply(null,arguments)}}
      pass("pLPCommand");pass("pRTLPCB")})(window);
      pLPCommand("start","\(key.id)","\(key.password)");

      """)
  }

  /// Hands over messages, which come each with a line feed behind it, under an answer's number.
  static func appendMessages(_ messages: ByteBuffer, number: Int64, to script: inout ByteBuffer) {
    script.reserveCapacity(script.readableBytes + messages.readableBytes + 64)
    script.writeString("pRTLPCB(\(number),[")
    var isFirst = true
    MessageLines.forEach(in: messages) { message in
      if !isFirst { script.writeStaticString(",\n") }
      isFirst = false
      append(message, to: &script)
    }
    script.writeStaticString("]);\n")
  }

  /// Ends the session once the answer of this number and all before it have been read; at once without one.
  static func appendClose(after number: Int64?, to script: inout ByteBuffer) {
    // A page takes 0 for no number.
    guard let number, number > 0 else { return script.writeClose() }
    script.writeString("pLPCommand(\"close\",\(number));\n")
  }

  /// Tells a page that there is no such session, whether or not its functions are defined.
  static let unknown = ByteBuffer(
    string: "if(typeof pLPCommand==\"function\")pLPCommand(\"close\");\n")

  /// A page without content that tells the server when it goes.
  static let departureFrame = ByteBuffer(
    string: """
      <!doctype html><meta charset="utf-8"><title></title><script>
      (function(){var told=false;function tell(){if(told)return;told=true;
      var to=location.href.replace("dframe=t","disconn=t");
      try{fetch(to,{keepalive:true,cache:"no-store"}).catch(function(){})}catch(e){new Image().src=to}}
      addEventListener("pagehide",tell);addEventListener("unload",tell)})();
      </script>

      """)

  /// Appends one message so that a script reads it as JSON would be read.
  private static func append(_ message: UnsafeRawBufferPointer, to script: inout ByteBuffer) {
    guard contains(message, "__proto__") else { return appendEscaped(message, isQuoted: false, to: &script) }
    // In a script's object this name would not be a member like others.
    script.writeStaticString("JSON.parse(\"")
    appendEscaped(message, isQuoted: true, to: &script)
    script.writeStaticString("\")")
  }

  private static func appendEscaped(
    _ message: UnsafeRawBufferPointer, isQuoted: Bool, to script: inout ByteBuffer
  ) {
    var start = 0
    var place = 0
    func writeUntilHere() {
      script.writeBytes(UnsafeRawBufferPointer(rebasing: message[start..<place]))
    }
    while place < message.count {
      let byte = message[place]
      if isQuoted, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        writeUntilHere()
        script.writeInteger(UInt8(ascii: "\\"))
        start = place
      } else if byte == 0xE2, place + 2 < message.count, message[place + 1] == 0x80,
        message[place + 2] & 0xFE == 0xA8
      {
        // The two line separators that JSON allows and older browsers do not take in a script.
        writeUntilHere()
        script.writeStaticString(message[place + 2] == 0xA8 ? "\\u2028" : "\\u2029")
        place += 2
        start = place + 1
      }
      place += 1
    }
    writeUntilHere()
  }

  private static func contains(_ message: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard let base = message.baseAddress, message.count >= count else { return false }
    for place in 0...message.count - count where message[place] == word.utf8Start[0] {
      let part = UnsafeRawBufferPointer(start: base + place, count: count)
      if part.elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count)) { return true }
    }
    return false
  }
}

extension ByteBuffer {
  fileprivate mutating func writeClose() {
    writeStaticString("pLPCommand(\"close\");\n")
  }
}
