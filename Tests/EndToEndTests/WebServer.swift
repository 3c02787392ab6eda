import DVFile
import Foundation
import SystemPackage

/// Python's own web server, which serves a directory and knows no ranges. It ends with its standard input, so also with this
/// process; a signal may be blocked, as it is on threads of tests.
final class WebServer {
  let url: String
  private let process = Process()
  private let input = Pipe()

  convenience init(serving directory: FilePath, _ sandbox: Sandbox) throws {
    let script = """
      import functools, http.server, sys, threading
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
      server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
      print(server.server_address[1], flush=True)
      threading.Thread(target=server.serve_forever, daemon=True).start()
      sys.stdin.read()
      """
    try self.init(script: script, arguments: [directory.string])
  }

  /// Runs a server of one's own, which prints its port first and ends with its standard input.
  init(script: String, arguments: [String]) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    url = "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
  }

  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
