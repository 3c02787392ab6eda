import DVFile
import DVGit
import SystemPackage

/// The SSH signature at the end of a tag object, and the bytes that it signs.
struct TagSignature {
  private let payload: [UInt8]
  private let signature: [UInt8]

  /// - Returns: `nil` if the tag has none.
  init?(_ tag: GitRawObject) {
    let text = String(decoding: tag.bytes, as: UTF8.self)
    guard let start = text.firstRange(of: "-----BEGIN SSH SIGNATURE-----") else { return nil }
    payload = Array(text[..<start.lowerBound].utf8)
    signature = Array(text[start.lowerBound...].utf8)
  }

  /// Whether it was made by a key, which `ssh-keygen` checks.
  ///
  /// - Parameter key: one line as in a `.pub` file.
  func isMade(by key: some StringProtocol) throws -> Bool {
    try check("-Y verify -f \"$4\" -I audit", signers: "audit \(key)\n")
  }

  /// Whether it is a signature of these bytes, by whatever key.
  func fitsBytes() throws -> Bool { try check("-Y check-novalidate", signers: "") }

  private func check(_ arguments: String, signers: String) throws -> Bool {
    let folder = try TemporaryDirectory(in: FilePath("/tmp"))
    let (payloadFile, signatureFile) = (folder.path.appending("payload"), folder.path.appending("signature"))
    let signersFile = folder.path.appending("signers")
    try payloadFile.createContent(payload.span)
    try signatureFile.createContent(signature.span)
    try signersFile.createContent(Array(signers.utf8).span)
    let script = "exec ssh-keygen \(arguments) -n git -s \"$2\" < \"$1\" 2>/dev/null"
    return (try? ProgramOutput.of(
      ["sh", "-c", script, "sh", payloadFile.string, signatureFile.string, folder.path.string, signersFile.string], limit: 4096)) != nil
  }
}
