import Dispatch
import NIOCore
import NIOEmbedded
import Synchronization

/// An event loop for a whole test in one thread: everything else waits until it is told to run.
///
/// NIO's own embedded loop can be no actor's executor.
final class ManualLoop: EventLoop, NIOSerialEventLoopExecutor {
  private let loop = EmbeddedEventLoop()

  var inEventLoop: Bool { true }

  var now: NIODeadline { loop.now }

  func execute(_ task: @escaping @Sendable () -> Void) { loop.execute(task) }

  func scheduleTask<T>(
    deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    loop.scheduleTask(deadline: deadline, task)
  }

  func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    loop.scheduleTask(in: time, task)
  }

  func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    loop.shutdownGracefully(queue: queue, callback)
  }

  func run() { loop.run() }

  func advance(seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }
}

/// Runs asynchronous work in the calling thread, as far as nothing in it waits for another one.
final class InThread: TaskExecutor, Sendable {
  private let jobs = Mutex<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
  }

  static func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let executor = InThread()
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    Task(executorPreference: executor) {
      let result: Result<Value, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
    }
    while let job = executor.jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
      job.runSynchronously(on: executor.asUnownedTaskExecutor())
    }
    guard let result = outcome.withLock({ $0 }) else { throw Finding("something waits for another thread") }
    return try result.get()
  }

  /// Waits for asynchronous work that other threads do.
  static func wait<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      let result: Result<Value, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
      done.signal()
    }
    done.wait()
    guard let result = outcome.withLock({ $0 }) else { throw Finding("no result") }
    return try result.get()
  }
}
