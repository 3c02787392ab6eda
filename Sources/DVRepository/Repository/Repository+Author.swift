import DVFile
import DVGit
import SystemPackage

extension Repository {
  /// Git's author, as a commit made now and records name who made them; `nil` if nobody told git.
  func recordedUser() throws -> String? {
    let known = try git.signature()
    guard let name = environment("GIT_AUTHOR_NAME") ?? known?.name else { return nil }
    let email = environment("GIT_AUTHOR_EMAIL") ?? known?.email ?? ""
    return String("\(name) <\(email)>".prefix(200))
  }

  /// The machine's name if `record.host` allows it.
  func recordedHost() throws -> String? {
    guard try configuration.bool("record.host") == true,
      let bytes = try? FilePath("/proc/sys/kernel/hostname").readKernelFile(limit: 4096)
    else { return nil }
    return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
  }
}
