import DVFile
import SystemPackage
import Testing

/// `dv doctor`: it says what is wrong and what to do.
@Suite struct DoctorTests {
  private func findings(_ outcome: Sandbox.Outcome, _ state: String) throws -> [String] {
    let all = try #require(try outcome.json["findings"] as? [[String: Any]])
    return all.filter { $0["state"] as? String == state }.compactMap { $0["subject"] as? String }
  }

  @Test func aHealthyRepositoryIsHealthy() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write("content", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("push").succeed()
    let outcome = try sandbox.dv("doctor", "--json").succeed()
    #expect(try findings(outcome, "wrong").isEmpty)
    let good = try findings(outcome, "good")
    for subject in ["versions", "repository", "project", "store", "file system", "remote 'origin'", "data"] {
      #expect(good.contains(subject), "\(subject)")
    }
    #expect(try sandbox.dv("doctor").succeed().text.hasSuffix("Nothing is wrong.\n"))
  }

  @Test func whatIsWrongIsNamed() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write("content", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("push").succeed()
    for pack in try sandbox.packs(below: sandbox.path(".git/dv/store/packs")) { try pack.removeFile() }
    try sandbox.remote.removeTree()
    try sandbox.write("no pointer", to: "data.dv")
    let outcome = try sandbox.dv("doctor", "--json").exit(1)
    #expect(try findings(outcome, "wrong") == ["store", "remote 'origin'", "data"])
    try sandbox.dv("-C", Sandbox.Argument(sandbox.folder), "doctor").exit(1)
  }
}
