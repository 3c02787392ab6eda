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

/// Finds recorded reproductions.
public struct ListReproductions: Sendable {
  private let run: ObjectID?
  private let limit: Int?

  /// - Parameters:
  ///   - run: only those of this run.
  ///   - limit: only so many, the newest.
  public init(of run: ObjectID? = nil, limit: Int? = nil) {
    self.run = run
    self.limit = limit
  }

  /// Carries it out.
  ///
  /// - Returns: the newest last, and what could not be read, in words.
  public func run(
    in repository: Repository
  ) async throws -> (items: [(id: ObjectID, reproduction: ReproductionRecord)], problems: [String]) {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    var found = try await book.reproductions(of: run)
    if let limit { found.items = Array(found.items.suffix(limit)) }
    return found
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
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    return try await find(in: book, "run") { id in try await book.run(id) }
  }

  /// Returns the reproduction of that name; `nil` if no record of one begins like this.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if several begin like this.
  public func reproduction(in repository: Repository) async throws -> (id: ObjectID, reproduction: ReproductionRecord)? {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    func read(_ id: ObjectID) async throws -> ReproductionRecord? {
      guard let record = try book.record(id), record.type == ReproductionRecord.type else { return nil }
      return try await book.reproduction(record)
    }
    let digits = digits
    guard digits.count >= 4, digits.allSatisfy(\.isHexDigit) else { return nil }
    for id in try book.names(beginningWith: digits.lowercased()).prefix(1000) where try await read(id) != nil {
      let (id, found) = try await find(in: book, "reproduction", read)
      return (id, found)
    }
    return nil
  }

  private var digits: String { name.hasPrefix("sha256:") ? String(name.dropFirst("sha256:".count)) : name }

  private func find<Found>(
    in book: RecordBook, _ what: String, _ read: (ObjectID) async throws -> Found?
  ) async throws -> (ObjectID, Found) {
    let digits = digits
    guard digits.count >= 4, digits.allSatisfy(\.isHexDigit) else {
      throw RepositoryError(
        .usage, "'\(name)' is no name of a \(what): expected at least 4 hex digits.", remedy: "'dv runs list' shows all runs.")
    }
    if let id = try? ObjectID(hex: digits), let one = try await read(id) { return (id, one) }
    var found: [(ObjectID, Found)] = []
    for id in try book.names(beginningWith: digits.lowercased()).prefix(1000) {
      if let one = try await read(id) { found.append((id, one)) }
    }
    guard let only = found.first, found.count == 1 else {
      throw RepositoryError(
        .usage, found.isEmpty ? "No \(what) begins with '\(digits)'." : "\(found.count) \(what)s begin with '\(digits)'.",
        remedy: "'dv runs list' shows all runs.")
    }
    return only
  }

  /// Returns what was printed in a run, from the local store or the default remote: 256 MiB at most.
  ///
  /// - Throws: ``StoreError`` with code `missing` if the log is not at hand.
  public static func log(of run: RunRecord, in repository: Repository) async throws -> [UInt8] {
    guard let log = run.log else { return [] }
    return try await content(of: log, "The log of the run", limit: RunJob.logLimit, in: repository)
  }

  /// Returns the surroundings of a run as canonical JSON, from the local store or the default remote.
  ///
  /// - Throws: ``RepositoryError/Code/missing`` if none are recorded; ``StoreError`` with code `missing` if they are not at hand.
  public static func environment(of run: RunRecord, in repository: Repository) async throws -> [UInt8] {
    guard let environment = run.environment else { throw RepositoryError(.missing, "Of this run no surroundings are recorded.") }
    return try await content(of: environment, "The surroundings of the run", limit: 64 << 20, in: repository)
  }

  private static func content(
    of object: RunRecord.StoredObject, _ what: String, limit: Int, in repository: Repository
  ) async throws -> [UInt8] {
    guard object.size <= UInt64(limit) else {
      throw RepositoryError(.corrupt, "\(what) would have \(object.size) bytes, more than dv keeps.")
    }
    var bytes: [UInt8] = []
    try await repository.dataReader().readFile(object.id, size: object.size, restart: { bytes.removeAll() }) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    return bytes
  }
}
