import Testing

@testable import dv

private struct Refused: ReportedError {
  let message = "Cannot store 'packs/3f2a' in remote 'lab': access denied.\u{1b}[2J"
  let remedy: String? = "Check the key's write permission."
  let exitCode = ExitCode.unreachable
}

@Test func anErrorIsALineAndARemedy() {
  let text = ErrorText(Refused())
  #expect(
    text.text == """
      error: Cannot store 'packs/3f2a' in remote 'lab': access denied.\\x1b[2J
             Check the key's write permission.

      """)
  #expect(text.exitCode == .unreachable)
}

@Test func anInterruptionHasTheShellsCode() {
  #expect(ErrorText(CancellationError()).exitCode == .interrupted)
}

@Test func theNumbersThatProgramsRelyOnStay() {
  #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 130, 141])
}
