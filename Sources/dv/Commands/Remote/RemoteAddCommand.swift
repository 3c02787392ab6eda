import ArgumentParser
import DVRepository

/// Which configuration a remote is written to.
enum RemotePlaceFlag: String, EnumerableFlag {
  case project
  case clone

  static func help(for flag: RemotePlaceFlag) -> ArgumentHelp? {
    switch flag {
    case .project: "In '.dv/config', which is committed, so that everybody has it."
    case .clone: "For this clone alone."
    }
  }

  var place: Configuration.Place { self == .project ? .project : .clone }
}

struct RemoteAddCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add a remote.",
    discussion: """
      The first remote becomes the default. A relative path is kept as it is written and starts at the top of the \
      repository, so that it means the same to everybody.

      A bucket is asked for with the credentials that AWS's programs use too. The server of a store that is not AWS is \
      given with --endpoint, or in AWS_ENDPOINT_URL_S3. A remote by http(s) is what a web server serves of a directory \
      or bucket that was pushed to: it can be pulled from only.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(help: "Where to write it down; in the project by default.")
  var place: RemotePlaceFlag?

  @Flag(name: .long, help: "Use it when no remote is named.")
  var `default` = false

  @Flag(name: .long, help: "Make the directory if it is missing.")
  var create = false

  @Flag(name: .shortAndLong, help: "Change a remote of that name; take a directory with other things in it.")
  var force = false

  @Option(help: ArgumentHelp("A bucket: the server's URL, if it is not AWS.", valueName: "url"))
  var endpoint: String?

  @Option(help: "A bucket: its region.")
  var region: String?

  @Option(help: ArgumentHelp("A bucket: 'path' or 'virtual', how URLs name it.", valueName: "style"))
  var addressing: String?

  @Option(help: "A bucket: a profile of AWS's programs, for this clone alone.")
  var profile: String?

  @Flag(help: "A bucket: send requests unsigned, for reading what is public.")
  var anonymous = false

  @Argument(help: "The remote's name.")
  var name: String

  @Argument(help: "A path, s3://bucket/prefix, or https://host/path.", completion: .directory)
  var url: String

  func run() async throws {
    let repository = try Here.repository()
    let place = self.place?.place ?? (repository.workDirectory == nil ? .clone : .project)
    var bucket = AddRemote.BucketOptions()
    (bucket.endpoint, bucket.region, bucket.addressing) = (endpoint, region, addressing)
    (bucket.profile, bucket.isAnonymous) = (profile, anonymous)
    let report = try await AddRemote(
      name, url: url, in: place, makesDefault: `default`, isForced: force, creates: create, bucket: bucket
    ).run(in: repository)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.remote.add/1")
        json.member("name", report.remote.name)
        json.member("url", report.remote.text)
        json.member("path", report.remote.url.description)
        json.member("place", report.remote.place.rawValue)
        json.member("default", report.isDefault)
        json.member("changed", report.isChanged)
        json.member("writable", report.isWritable)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
  }

  private func text(_ report: AddRemote.Report) -> String {
    let name = SafeText.name(report.remote.name)
    guard report.isChanged else { return "Remote '\(name)' is there already.\n" }
    var text = "Added remote '\(name)' (\(SafeText.name(report.remote.url.description)))"
    if report.isDefault { text += ", the default" }
    text += report.remote.place == .project ? ". '.dv/config' is staged for the next commit.\n" : ", for this clone.\n"
    if !report.isWritable { text += "You may not write there: this clone can pull from it, not push to it.\n" }
    return text
  }
}
