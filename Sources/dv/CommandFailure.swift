/// A command that dv ran for the person failed, and has said so itself: dv ends with the same code, without a message.
struct CommandFailure: Error {
  /// Between 1 and 255.
  let code: Int32

  /// - Parameter code: what the command ended with; `nil` or 0 if that says nothing, such as when a signal ended it.
  init(_ code: Int64?) { self.code = code.map { (1...255).contains($0) ? Int32($0) : 1 } ?? 1 }
}
