import DVFile
import DVTesting
import Foundation
import SystemPackage

/// Python's own web server, which serves a directory and knows no ranges. It ends when it is stopped, and with the process that
/// started it.
final class WebServer {
  let url: String
  private let run: ProgramRun
  private let process: Int32

  convenience init(serving directory: FilePath, _ sandbox: Sandbox) throws {
    let script = """
      import functools, http.server, sys, threading
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
      server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
      print(server.server_address[1], flush=True)
      threading.Thread(target=server.serve_forever, daemon=True).start()
      """
    try self.init(script: script, arguments: [directory.string])
  }

  /// Runs a server of one's own, which prints its port first and serves on a daemon's thread.
  init(script: String, arguments: [String]) throws {
    let folder = FilePath(FileManager.default.temporaryDirectory.path)
    let name = "dv-web-\(UInt64.random(in: .min ... .max))"
    let (output, errors) = (folder.appending(name + "-out"), folder.appending(name + "-err"))
    defer {
      try? output.removeFile()
      try? errors.removeFile()
    }
    let life = "\nimport os, time\nparent = os.getppid()\nwhile os.getppid() == parent: time.sleep(0.2)\n"
    run = ProgramRun(
      command: (["python3", "-c", script + life] + arguments).map { Array($0.utf8) },
      environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], directory: folder, patience: 10)
    process = try run.start(output: output, errors: errors)
    var port = ""
    for _ in 0..<6000 where !port.hasSuffix("\n") {
      usleep(10_000)
      port = String(decoding: try output.readAll(limit: 100), as: UTF8.self)
    }
    guard port.hasSuffix("\n") else { throw ProgramRun.Failure(description: "Python's web server did not start within a minute.") }
    url = "http://127.0.0.1:\(port.dropLast())"
  }

  func stop() {
    kill(process, SIGKILL)
    _ = try? run.wait(for: process)
  }
}
