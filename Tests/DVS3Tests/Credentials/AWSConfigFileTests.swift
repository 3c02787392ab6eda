import DVTesting
import Testing

@testable import DVS3

@Suite struct AWSConfigFileTests {
  private func file(_ text: String) throws(CredentialError) -> AWSConfigFile {
    try AWSConfigFile(Array(text.utf8), path: "config")
  }

  @Test func readsTheDialect() throws {
    let sections = try file(
      """
      \u{FEFF}# a comment
      ; another
      [default]
      region=us-west-2 # the nearest
      Output =  json\t; for programs\r
      secret = a#b;c=d==
      empty =

      [ profile   lab ] # of the group
        region = eu-west-1
        s3 =
          # inside
          addressing_style = path
          Max = 10
        output = text
      long = one
         two
      [profile "my data"]
      [default]
      region = us-east-2
      """
    ).sections
    #expect(Set(sections.keys) == ["default", "profile lab", "profile \"my data\""])
    #expect(sections["default"]?.values == ["region": "us-east-2", "output": "json", "secret": "a#b;c=d==", "empty": ""])
    #expect(sections["profile lab"]?.values == ["region": "eu-west-1", "s3": "", "output": "text", "long": "one\ntwo"])
    #expect(sections["profile lab"]?.nested == ["s3": ["addressing_style": "path", "max": "10"]])
  }

  @Test func namesProfiles() throws {
    let world = CredentialWorld(
      files: [
        "~/.aws/config": "[profile \"my data\"]\ns3 =\n  addressing_style = path\n[profile 'x']\nregion = r\n[plain]\nregion = s",
        "~/.aws/credentials": "[my data]\nregion = t\n[plain]\n",
      ])
    let config = try AWSConfig(world.environment)
    #expect(config.profile("my data")?["s3", "addressing_style"] == "path")
    #expect(config.profile("my data")?["region"] == "t")
    #expect(config.profile("x")?["region"] == "r")
    // A section of 'config' without the word 'profile' is none.
    #expect(config.profile("plain")?["region"] == nil)
    #expect(config.profile("absent") == nil)
    #expect("\(try #require(config.profile("x")))" == "profile 'x'")
  }

  @Test(arguments: [
    ("[default", 1), ("[]", 1), ("[a] b", 1), ("\n\nhush = 1", 3), ("[a]\nhush", 2), ("[a]\n = hush", 2),
    ("[a]\nb =\n  hush", 3),
  ])
  func namesTheLineAndDoesNotQuoteIt(text: String, line: Int) {
    let failure = #expect(throws: CredentialError.self) { try file(text) }
    #expect(failure?.code == .invalid)
    #expect(failure?.message.contains("'config' line \(line) ") == true)
    #expect(failure?.message.contains("hush") == false)
  }

  @Test func isBounded() {
    #expect(throws: CredentialError.self) { try AWSConfigFile([UInt8](repeating: 0x0A, count: 1 << 20 + 1), path: "x") }
    #expect(throws: CredentialError.self) { try AWSConfigFile([0x5B, 0xFF, 0x5D], path: "x") }
  }

  @Test(arguments: 0..<10)
  func survivesAnything(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pieces = ["[", "]", "=", "\n", " ", "\t", "#", ";", "profile ", "a", "s3", "\"", "\r", "ä"]
    for _ in 0..<200 {
      let text = (0..<30).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      _ = try? file(text)
    }
  }
}
