import DVFile
import Testing

/// What is run for its output.
@Suite struct ProgramOutputTests {
  @Test func outputIsReturnedWhole() throws {
    let bytes = try ProgramOutput.of(["sh", "-c", "seq 1 100000"], limit: 1 << 20)
    #expect(bytes.count == 588_895 && bytes.suffix(7) == Array("100000\n".utf8))
    #expect(throws: FileError.self) { try ProgramOutput.of(["sh", "-c", "seq 1 100000"], limit: 588_894) }
  }

  @Test(arguments: [["sh", "-c", "exit 3"], ["sh", "-c", "kill -9 $$"], ["/no/such/program"], [""], []])
  func failuresAreTold(words: [String]) {
    #expect(throws: FileError.self) { try ProgramOutput.of(words, limit: 10) }
  }

  /// Ctrl-C reaches it, whatever the thread that started it blocks.
  @Test func signalsAreNotBlocked() async throws {
    let text = try await BlockingThreads.run {
      String(decoding: try ProgramOutput.of(["grep", "^SigBlk", "/proc/self/status"], limit: 100), as: UTF8.self)
    }
    #expect(text == "SigBlk:\t0000000000000000\n")
  }

  @Test func argumentsAreInNoMessage() throws {
    do {
      _ = try ProgramOutput.of(["sh", "-c", "exit 1", "hunter2"], limit: 10)
      Issue.record("no error")
    } catch {
      #expect(!error.message.contains("hunter2"))
    }
  }
}
