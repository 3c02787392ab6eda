import DVFile
import DVTesting
import SystemPackage
import Testing

@Test(arguments: [
  (Errno.noSpace, FileError.Code.noSpace, "no space left on the device. Free some space"),
  (.permissionDenied, .denied, "permission denied. Check who owns it"),
  (.readOnlyFileSystem, .readOnly, "the file system is read-only. Remount it"),
  (.tooManyOpenFiles, .tooManyOpen, "too many open files. Raise the limit ('ulimit -n')"),
  (.diskQuotaExceeded, .noSpace, "the disk quota is used up."),
  (.tooManySymbolicLinkLevels, .symlink, "a symbolic link stands in the way."),
  (.ioError, .io, "the device failed (input/output error). Check the disk"),
])
func errorsSayWhatWhereAndWhatToDo(errno: Errno, code: FileError.Code, text: String) throws {
  let plan = FaultPlan(at: 1, .fail(errno))
  do {
    _ = try plan.run { try FilePath("data/x.bin").readAll(limit: 1) }
    Issue.record("expected an error")
  } catch let error as FileError {
    #expect(error.code == code)
    #expect(error.errno == errno.rawValue)
    #expect(error.message.hasPrefix("Cannot open 'data/x.bin': \(text)"), "\(error.message)")
    #expect(error.message.hasSuffix("."))
  }
}

@Test func absenceHasItsOwnWords() throws {
  do {
    _ = try FilePath("/no/such/file").readAll(limit: 1)
    Issue.record("expected an error")
  } catch {
    #expect(error.message == "Cannot open '/no/such/file': there is no such file or directory.")
  }
  #expect(try FilePath("/no/such/file").fileStat() == nil)
}

@Test func pathsInMessagesCannotDriveTheTerminal() {
  #expect(TerminalSafe.text(Array("plain ä 😀".utf8)) == "plain ä 😀")
  #expect(TerminalSafe.text([0x1B, 0x5B, 0x32, 0x4A]) == "\\x1B[2J")
  #expect(TerminalSafe.text([0xFF, 0x61, 0xC3]) == "\\xFFa\\xC3")
  #expect(TerminalSafe.text("a\nb\\c\u{9B}") == "a\\nb\\\\c\\x9B")
  #expect(TerminalSafe.text("a\u{202E}b") == "a\\u{202E}b")
  #expect(FilePath(rawBytes: [0x61, 0x07]).printable == "a\\x07")
}

@Test func plansAreReadFromText() {
  #if DEBUG
    #expect(FaultPlan(parsing: "3:stop") != nil)
    #expect(FaultPlan(parsing: "3:28") != nil)
    for text in ["", "x", "0:stop", "3", "3:never", "3:tear:1"] { #expect(FaultPlan(parsing: text) == nil) }
  #endif
}
