import DVFile
import DVGit
import SystemPackage

extension Audit {
  /// Whether git accepts the signature of a tag object.
  func verifies(_ tag: GitObjectID) -> Bool {
    git(["verify-tag", tag.hex]) != nil
  }

  /// What can be said of a signature here.
  enum Signature { case good, unknown, broken }

  /// Checks the signature of a tag object: by git, which knows whom to trust, and where it knows nobody, whether it fits the bytes at all.
  func signature(of tag: GitObjectID) throws -> Signature {
    if verifies(tag) { return .good }
    if let told = git(["verify-tag", "--raw", tag.hex], always: true) {
      let text = String(decoding: told, as: UTF8.self)
      if text.contains("BADSIG") || text.contains("incorrect signature") { return .broken }
    }
    return try TagSignature(repository.git.rawObject(tag))?.fitsBytes() == false ? .broken : .unknown
  }

  /// What git prints; `nil` if it does not end with 0.
  ///
  /// - Parameter always: whether also if it does, and what it says of errors.
  private func git(_ arguments: [String], always: Bool = false) -> [UInt8]? {
    let script = "directory=$1; shift; git --git-dir=\"$directory\" \"$@\" \(always ? "2>&1 || true" : "2>/dev/null")"
    return try? ProgramOutput.of(["sh", "-c", script, "sh", repository.git.gitDirectory.string] + arguments, limit: 1 << 20)
  }

  /// Finds a signature over what is checked out.
  mutating func anchor() throws {
    let head = try repository.git.head().commit
    report.head = head?.hex
    if let head {
      let tags = try repository.git.references().filter { $0.name.hasPrefix("refs/tags/") && $0.commit == head }
      // One that is not annotated can have no signature.
      for tag in tags where tag.target != head && verifies(tag.target) {
        report.anchor = .init(kind: .signedTag, name: String(tag.name.dropFirst("refs/tags/".count)))
        return
      }
      if let answer = git(["log", "-1", "--format=%G?", head.hex]), let letter = answer.first, letter == UInt8(ascii: "G") || letter == UInt8(ascii: "U") {
        report.anchor = .init(kind: .signedCommit, name: head.hex)
      }
    }
  }
}
