import DVBackend
import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Looks at everything that dv relies on: libraries, repository, store, remotes, git's settings, stat caches.
///
/// Changes nothing, except that a file is made and removed again in the store and in each remote, to see whether one may.
public struct Diagnose: Sendable {
  private let version: String
  private let program: GitProgram?

  /// - Parameters:
  ///   - version: dv's.
  ///   - program: how git calls dv.
  public init(version: String, program: GitProgram?) {
    self.version = version
    self.program = program
  }

  /// Looks. What cannot be looked at is a finding too.
  ///
  /// - Parameter repository: opens the repository.
  public func run(in repository: () throws -> Repository, progress: ProgressSink) async -> Diagnosis {
    var diagnosis = Diagnosis()
    progress.begin("Looking")
    let libraries = [("libgit2", GitLibrary.version)] + CodecLibraries.versions.map { ($0.name, $0.version) }
    diagnosis.add(
      "versions", "dv \(version), " + libraries.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        + ", \(Machine.coreCount) \(Machine.coreCount == 1 ? "core" : "cores")")
    let opened: Repository
    do { opened = try repository() } catch {
      diagnosis.add("repository", .wrong, "\(error)", remedy: "Run this inside a git repository; 'git init' makes one.")
      return diagnosis
    }
    lookAtRepository(opened, &diagnosis)
    lookAtGit(opened, &diagnosis)
    await lookAtStore(opened, &diagnosis)
    await lookAtRemotes(opened, &diagnosis, progress)
    lookAtPointers(opened, &diagnosis)
    return diagnosis
  }

  // MARK: Repository and git

  private func lookAtRepository(_ repository: Repository, _ diagnosis: inout Diagnosis) {
    guard let root = repository.workDirectory else {
      return diagnosis.add("repository", .note, "'\(repository.git.gitDirectory)' is bare: it has no working tree.")
    }
    let isShallow = (try? repository.git.isShallow) == true
    diagnosis.add("repository", "'\(root)'" + (isShallow ? ", a shallow clone" : ""))
    do {
      try repository.requireProject()
      diagnosis.add("project", "set up, trees of version \(Repository.treeVersion)")
    } catch let error as RepositoryError {
      diagnosis.add("project", .wrong, error.message, remedy: error.remedy)
    } catch {
      diagnosis.add("project", .wrong, "\(error)")
    }
  }

  private func lookAtGit(_ repository: Repository, _ diagnosis: inout Diagnosis) {
    guard let program else { return }
    do {
      let config = try repository.git.config()
      let wanted = RegisterDrivers(calling: program).settings.filter { $0.name == "diff.dv.textconv" || $0.name == "merge.dv.driver" }
      let found = try wanted.map { try config.string($0.name) }
      if found.elementsEqual(wanted.map { $0.value as String? }) {
        diagnosis.add("git drivers", "pointers are shown and merged with dv")
      } else if found.contains(nil) {
        diagnosis.add(
          "git drivers", .note, "not registered in this clone yet: git shows and merges pointers as plain text.",
          remedy: "The next command that writes registers them, such as 'dv init'.")
      } else {
        diagnosis.add(
          "git drivers", .note, "set to another program (\(found.compactMap { $0 }.joined(separator: "; "))).",
          remedy: "Unset diff.dv.textconv and merge.dv.driver in git's configuration if this was not meant.")
      }
    } catch {
      diagnosis.add("git drivers", .wrong, "\(error)")
    }
  }

  // MARK: Stores

  private func lookAtStore(_ repository: Repository, _ diagnosis: inout Diagnosis) async {
    do {
      let directory = try repository.storeDirectory()
      guard try directory.fileStatFollowingLinks() != nil else {
        return diagnosis.add("store", .note, "'\(directory)' is made when data is added or fetched.")
      }
      let local = try await repository.localStore(for: .read)
      let inventory = try await StoreInventory(of: local.store)
      diagnosis.add(
        "store", "'\(directory)': \(inventory.objects) objects in \(inventory.packs.count) packs, "
          + "\(Self.megabytes(inventory.packs.bytes)), \(inventory.segments) index segments")
      for finding in inventory.packs.findings {
        diagnosis.add(
          "store", .wrong,
          finding.actual.map { "Pack \(finding.pack.hex) has \($0) bytes, and should have \(finding.expected)." }
            ?? "Pack \(finding.pack.hex) is missing.", remedy: "'dv repair' replaces what a remote has.")
      }
      try await lookAtFileSystem(of: directory, local, repository, &diagnosis)
      for clone in try repository.clonesOfStore() where try clone.fileStatFollowingLinks() == nil {
        diagnosis.add(
          "store", .wrong, "The clone '\(clone)' is said to use the store and is not there: 'dv gc' refuses.",
          remedy: "Mount it, or forget it with 'dv gc --prune-clones'.")
      }
    } catch {
      diagnosis.add("store", .wrong, "\(error)")
    }
  }

  private func lookAtFileSystem(
    of directory: FilePath, _ local: LocalStore, _ repository: Repository, _ diagnosis: inout Diagnosis
  ) async throws {
    let system = try FileSystem(of: directory)
    let kind = system.kind ?? "unknown kind"
    do {
      _ = try await local.backend.clock()
    } catch {
      diagnosis.add("store", .wrong, error.message, remedy: "Nothing can be added or fetched: check the permissions.")
      return
    }
    let canClone = try reflinks(in: directory.appending("tmp"))
    diagnosis.add(
      "file system", "\(kind), \(Self.megabytes(system.freeBytes)) free, \(canClone ? "shares" : "does not share") bytes between copies")
    if system.freeBytes < 1 << 30 {
      diagnosis.add(
        "file system", .note, "less than 1 GB is free.", remedy: "'dv gc' frees what nothing needs.")
    }
    if system.isRemote {
      diagnosis.add(
        "file system", .note, "the local store lies on a network file system, which makes everything slower.",
        remedy: "'dv config core.store PATH' puts it on a local disk.")
    }
    if let root = repository.workDirectory, let there = try root.fileStatFollowingLinks(),
      let here = try directory.fileStatFollowingLinks(), there.device != here.device
    {
      diagnosis.add("file system", .note, "store and working tree lie on different file systems: every checkout copies.")
    }
  }

  /// Whether a file can be cloned in a directory.
  private func reflinks(in directory: FilePath) throws -> Bool {
    let temporary = try TemporaryDirectory(in: directory)
    let file = temporary.path.appending("a")
    try file.createContent([UInt8](repeating: 1, count: 4096).span, durable: false)
    let isCloned = try file.reflink(to: temporary.path.appending("b"))
    _ = consume temporary
    return isCloned
  }

  private func lookAtRemotes(_ repository: Repository, _ diagnosis: inout Diagnosis, _ progress: ProgressSink) async {
    do {
      let remotes = try repository.remotes()
      if remotes.isEmpty {
        diagnosis.add(
          "remotes", .note, "none: what is added exists only here.", remedy: "'dv remote add origin PATH' adds one.")
      } else if repository.defaultRemoteName() == nil {
        diagnosis.add(
          "remotes", .note, "none of several is the default.", remedy: "'dv remote set-default NAME' chooses one.")
      }
      for remote in remotes {
        let subject = "remote '\(remote.name)'"
        do {
          let report = try await CheckRemote(remote.name).run(in: repository, progress: progress)
          add(report, subject, &diagnosis)
        } catch {
          diagnosis.add(subject, .wrong, "\(error)", remedy: "'dv remote check \(remote.name)' says more.")
        }
      }
    } catch {
      diagnosis.add("remotes", .wrong, "\(error)")
    }
  }

  private func add(_ report: CheckRemote.Report, _ subject: String, _ diagnosis: inout Diagnosis) {
    if let problem = report.problem { return diagnosis.add(subject, .wrong, problem.message, remedy: problem.remedy) }
    let place = report.remote.url.description
    if !report.isWritable { diagnosis.add(subject, .note, "may be read and not written: pull works, push does not.") }
    if let difference = report.clockDifference, abs(difference) > 300 {
      diagnosis.add(
        subject, .wrong, "its clock differs by \(abs(difference)) s from this machine's.",
        remedy: "Set the clocks: garbage collection on the remote relies on its own.")
    }
    guard let inventory = report.inventory else {
      return diagnosis.add(subject, "'\(place)': nothing was pushed yet")
    }
    diagnosis.add(
      subject, "'\(place)': \(inventory.packs.count) packs, \(Self.megabytes(inventory.packs.bytes)), \(inventory.roots) roots")
    if !report.isSound {
      diagnosis.add(
        subject, .wrong,
        inventory.packs.findings.isEmpty
          ? "part of its index is missing." : "\(inventory.packs.findings.count) packs are missing or damaged.",
        remedy: "'dv push' from a clone that has the data makes it good; 'dv remote check' lists them.")
    }
  }

  // MARK: Pointers

  private func lookAtPointers(_ repository: Repository, _ diagnosis: inout Diagnosis) {
    guard repository.workDirectory != nil else { return }
    do {
      let selection = try repository.select([])
      let caches = repository.statCaches
      var cached = 0
      for item in selection.items {
        do throws(WorkspaceError) { cached += try caches.load(item.data.target) == nil ? 0 : 1 } catch {
          diagnosis.add(
            "data", .wrong, error.message,
            remedy: "If the disk is sound, remove the file: dv hashes everything again, and takes what it put there for yours.")
        }
      }
      diagnosis.add("data", "\(selection.items.count) targets, \(cached) with a stat cache")
      for pointer in selection.unreadable {
        diagnosis.add(
          "data", .wrong, pointer.message,
          remedy: pointer.isConflicted
            ? "Keep one version with 'git checkout --ours' or '--theirs', or 'dv add' the right data."
            : "Bring it back with 'git checkout' of the pointer.")
      }
    } catch {
      diagnosis.add("data", .wrong, "\(error)")
    }
  }

  private static func megabytes(_ bytes: UInt64) -> String {
    bytes >= 10_000_000_000 ? "\(bytes / 1_000_000_000) GB" : "\((bytes + 999_999) / 1_000_000) MB"
  }
}

extension Diagnosis {
  fileprivate mutating func add(_ subject: String, _ message: String) { add(subject, .good, message) }
}
