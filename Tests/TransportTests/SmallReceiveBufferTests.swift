import NIOCore
import Testing

@testable import Transport

struct SmallReceiveBufferTests {
  private func size(_ buffer: Box<SmallReceiveBuffer>) -> Int {
    buffer { $0.buffer(allocator: ByteBufferAllocator()).capacity }
  }

  private func announced(_ buffer: Box<SmallReceiveBuffer>) -> Int? { buffer { $0.nextBufferSize() } }

  private func record(_ bytes: Int, _ buffer: Box<SmallReceiveBuffer>) -> Bool {
    buffer { $0.record(actualReadBytes: bytes) }
  }

  @Test func `it grows while reads fill it and keeps only the small one`() {
    let buffer = Box(SmallReceiveBuffer(bytes: 256))
    #expect(!record(255, buffer))
    #expect(announced(buffer) == 256)
    var expected = 256
    for _ in 0..<10 {
      #expect(record(expected, buffer))
      expected = min(expected * 8, SmallReceiveBuffer.largest)
      #expect(size(buffer) == expected)
      #expect(announced(buffer) == nil)
    }
  }

  @Test func `bursts keep it large and a row of small reads ends that`() {
    let buffer = Box(SmallReceiveBuffer(bytes: 256))
    #expect(record(256, buffer))
    for _ in 0..<100 {
      for _ in 0..<15 { #expect(record(10, buffer)) }
      #expect(record(256, buffer))
    }
    for _ in 0..<15 { #expect(record(10, buffer)) }
    #expect(!record(10, buffer))
    #expect(announced(buffer) == 256)
  }
}
