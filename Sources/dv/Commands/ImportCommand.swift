import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVRepository
import DVWorkspace
import SystemPackage

struct ImportCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Bring data of another repository in and track it, with where it came from.",
    discussion: """
      URL is a folder or anything that git can clone; PATH is relative to the top of that repository: tracked data, a part of it, \
      a directory with such, or a file of git's. What travels is proved against the pointers there, and an import that was \
      stopped goes on when it is run again. A record of the source is staged with the pointer: 'dv lineage' shows it, and 'dv update' \
      looks there for something newer.
      """)

  @OptionGroup var options: GlobalOptions

  @OptionGroup var upstream: UpstreamOptions
  @OptionGroup var destination: PlaceOptions

  func run() async throws {
    let here = try Here.directory()
    let (path, name) = try upstream.source(destination)
    let (url, rev, force, output) = (upstream.url, upstream.rev, destination.force, destination.output)
    let report = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      let target = try ImportedPlace.target(output, named: name, isForced: force, in: repository)
      return try await ImportData(
        path, of: url, at: rev, to: target, isForced: force, environment: ProcessEnvironment.all
      ).run(in: repository, from: here, progress: progress)
    }
    try report.print(schema: "dv.import/1", options)
  }
}

struct ImportURLCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-url", abstract: "Bring a file or directory from a path or URL in and track it, with where it came from.",
    discussion: """
      URL is a path, file:///…, http(s)://…, or s3://BUCKET/KEY, where a KEY that is no object stands for all objects below it. \
      Buckets are reached with the credentials, region and server that AWS's programs take from the environment. A download that was \
      stopped goes on when it is run again, if the server tells that the file is still the same.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var bucket: ImportBucketOptions

  @Option(
    name: .long, help: ArgumentHelp("What the content must be, of a file as sha256sum prints it; otherwise nothing is tracked.", valueName: "digest"))
  var sha256: String?

  @OptionGroup var destination: PlaceOptions

  @Argument(help: "Where it is.")
  var url: String

  func validate() throws {
    if let sha256, Self.digest(sha256) == nil { throw ValidationError("--sha256 takes 64 hex digits.") }
  }

  private static func digest(_ text: String) -> ObjectID? {
    (try? ObjectID(hex: text.lowercased())) ?? (try? ObjectID(text: text))
  }

  func run() async throws {
    let here = try Here.directory()
    let (url, force, output, digest, bucket) = (url, destination.force, destination.output, sha256.flatMap(Self.digest), bucket.value)
    let report = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      let name = try ImportURL.name(of: url, from: here, in: repository)
      let target = try output.map { try ImportedPlace.target($0, named: name, isForced: force, in: repository) }
      return try await ImportURL(url, to: target, expecting: digest, bucket: bucket, isForced: force)
        .run(in: repository, from: here, progress: progress)
    }
    try report.print(schema: "dv.import-url/1", options)
  }
}

/// How a bucket is reached that data is imported from.
struct ImportBucketOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The server of a bucket, if it is not AWS.", valueName: "url"))
  var endpoint: String?

  @Option(name: .long, help: ArgumentHelp("The region of a bucket.", valueName: "name"))
  var region: String?

  @Option(name: .long, help: ArgumentHelp("The profile of AWS's programs to take credentials from.", valueName: "name"))
  var profile: String?

  @Flag(name: .long, help: "Send unsigned requests, to a public bucket.")
  var anonymous = false

  var value: AddRemote.BucketOptions {
    var value = AddRemote.BucketOptions()
    value.endpoint = endpoint
    value.region = region
    value.profile = profile
    value.isAnonymous = anonymous
    return value
  }
}

/// Where imported data goes.
enum ImportedPlace {
  /// Returns the target that an option means: the place itself, or in an existing directory that no data is.
  static func target(_ output: PathArgument?, named name: [UInt8], isForced: Bool, in repository: Repository) throws -> TreePath {
    let here = try Here.directory()
    guard let output else { return try repository.treePath(FilePath(rawBytes: name), from: here) }
    let place = here.pushing(output.path).lexicallyNormalized()
    let target = try repository.treePath(output.path, from: here)
    let isDirectory = try place.fileStatFollowingLinks()?.kind == .directory
    let isTracked = try repository.pointerSearch().resolve(target) != nil
    return isDirectory && !isTracked && !isForced && !name.isEmpty ? target.appending(name) : target
  }
}

// MARK: - What is printed

extension SourceRecord.Origin {
  /// Where from, in one phrase.
  var text: String {
    switch self {
    case .repository(let url, let path, let revision, let commit):
      let of = revision ?? commit.map { String($0.prefix(12)) }
      return "'\(SafeText.name(path))' of \(SafeText.name(url))\(of.map { " at \(SafeText.name($0))" } ?? "")"
    case .location(let url, _): return SafeText.name(url)
    }
  }

  /// Writes its members.
  func write(to json: inout JSONText) {
    json.member("url", url)
    switch self {
    case .repository(_, let path, let revision, let commit):
      json.member("from", path)
      json.member("rev", revision)
      json.member("commit", commit)
    case .location(_, let version):
      json.member("etag", version?.tag)
      json.member("modified", version?.modified)
    }
  }
}

extension ImportReport {
  /// Writes what is there now, and where from.
  func write(to json: inout JSONText) {
    json.path("path", path.bytes)
    json.path("pointer", PointerFile.path(for: path).bytes)
    json.member("kind", pointer.kind.text)
    json.member("oid", pointer.oid.text)
    json.member("previous", previous?.oid.text)
    json.member("size", pointer.size)
    json.member("files", pointer.files ?? 1)
    json.member("changed", isChanged)
    json.member("record", record.text)
    json.object("source") { origin.write(to: &$0) }
  }

  func print(schema: String, _ options: GlobalOptions) throws {
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", schema)
        write(to: &json)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let verb = isChanged ? "Imported" : "Already here:"
      try StandardOutput.write("\(verb) '\(SafeText.name(path.bytes))', \(pointer.sizeText), from \(origin.text).\n")
    }
  }
}
