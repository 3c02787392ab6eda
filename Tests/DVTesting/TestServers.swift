import DVFile
import Foundation
import Synchronization
import Testing

/// The S3 servers of `scripts/servers`: those that `scripts/test` started, or else started for this process.
public enum TestServers {
  public static let key = "dvtestkey"
  public static let secret = "dvtestsecret"
  public static let bucket = "dv-test"

  /// Which server, and what of it matters to tests.
  public enum Kind: String, Sendable, CaseIterable {
    /// Checks no signature, honours `If-None-Match`.
    case moto = "DV_TEST_MOTO"
    /// Checks signatures, ignores `If-None-Match`.
    case rclone = "DV_TEST_RCLONE"
  }

  /// Returns the URL of a server.
  ///
  /// - Throws: if it was not started and cannot be: a test without its server fails and is not skipped.
  public static func url(of kind: Kind) throws -> String {
    if let url = ProcessInfo.processInfo.environment[kind.rawValue], !url.isEmpty { return url }
    return try #require(try own.get()[kind.rawValue], "scripts/servers does not start \(kind)")
  }

  /// A prefix that nothing else uses.
  public static func freshPrefix() -> String { "t-\(RandomName.letters())" }

  private static let own = Result { try start() }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Starts the servers; they end with this process, whose end closes their standard input.
  private static func start() throws -> [String: String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let process = Process()
    process.executableURL = root.appendingPathComponent("scripts/servers")
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    kept.withLock { $0 = (process, input) }
    var text = ""
    while !text.hasSuffix("ready\n") {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Failure(description: "scripts/servers ended: \(text)") }
      text += String(decoding: data, as: UTF8.self)
    }
    var urls: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { urls[String(parts[0])] = String(parts[1]) }
    }
    return urls
  }

  private static let kept = Mutex<(Process, Pipe)?>(nil)
}
