public import DVLineage
public import DVObject
import DVFile
import DVStore

/// Finds recorded runs, also those whose dv was killed.
public struct ListRuns: Sendable {
  /// What was found.
  public struct Report: Sendable {
    /// The newest last.
    public internal(set) var runs: [(id: ObjectID, run: RunRecord)] = []
    /// Records that could not be read, in words.
    public internal(set) var problems: [String] = []
  }

  private let stage: String?
  private let limit: Int?

  /// - Parameters:
  ///   - stage: only runs of this stage.
  ///   - limit: only so many, the newest.
  public init(ofStage stage: String? = nil, limit: Int? = nil) {
    self.stage = stage
    self.limit = limit
  }

  /// Returns what lists show of the runs.
  public func summaries(in repository: Repository) async throws -> (runs: [RunSummary], problems: [String]) {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    _ = try await RunJournal(repository).adopt(book, in: repository)
    var found = try await book.summaries()
    if let stage { found.runs.removeAll { $0.stage != stage } }
    if let limit { found.runs = Array(found.runs.suffix(limit)) }
    return found
  }

  /// Returns the runs with all that is recorded of them.
  public func run(in repository: Repository) async throws -> Report {
    let found = try await summaries(in: repository)
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    var report = Report()
    report.problems = found.problems
    for summary in found.runs {
      do {
        if let run = try await book.run(summary.id) { report.runs.append((summary.id, run)) }
      } catch let error as RecordError {
        report.problems.append(error.message)
      }
    }
    return report
  }
}

/// Finds one recorded run, and what was printed in it.
public struct ShowRun: Sendable {
  private let name: String

  /// - Parameter name: the start of its ID, of at least 4 digits, with or without `sha256:`.
  public init(_ name: String) { self.name = name }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if no run or several begin like this.
  public func run(in repository: Repository) async throws -> (id: ObjectID, run: RunRecord) {
    let digits = name.hasPrefix("sha256:") ? String(name.dropFirst("sha256:".count)) : name
    guard digits.count >= 4, digits.allSatisfy(\.isHexDigit) else {
      throw RepositoryError(
        .usage, "'\(name)' is no name of a run: expected at least 4 hex digits.", remedy: "'dv runs list' shows all runs.")
    }
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    if let id = try? ObjectID(hex: digits), let run = try await book.run(id) { return (id, run) }
    var found: [(id: ObjectID, run: RunRecord)] = []
    for id in try book.names(beginningWith: digits.lowercased()).prefix(1000) {
      if let run = try await book.run(id) { found.append((id, run)) }
    }
    guard let only = found.first, found.count == 1 else {
      throw RepositoryError(
        .usage, found.isEmpty ? "No run begins with '\(digits)'." : "\(found.count) runs begin with '\(digits)'.",
        remedy: "'dv runs list' shows all runs.")
    }
    return only
  }

  /// Returns what was printed in a run, from the local store or the default remote: 256 MiB at most.
  ///
  /// - Throws: ``StoreError`` with code `missing` if the log is not at hand.
  public static func log(of run: RunRecord, in repository: Repository) async throws -> [UInt8] {
    guard let log = run.log else { return [] }
    guard log.size <= UInt64(RunJob.logLimit) else {
      throw RepositoryError(.corrupt, "The log of the run would have \(log.size) bytes, more than dv keeps.")
    }
    var bytes: [UInt8] = []
    try await repository.dataReader().readFile(log.id, size: log.size, restart: { bytes.removeAll() }) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    return bytes
  }
}
