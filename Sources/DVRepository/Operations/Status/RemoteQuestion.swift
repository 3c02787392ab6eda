import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace

/// Asks a remote which of the working tree's data, and of HEAD's, it has whole.
struct RemoteQuestion {
  let remote: Remote
  let selection: Selection
  /// What the selection was made with; nothing for all.
  let paths: [TreePath]

  /// Returns an entry for each content that is not whole there, by target; and remembers what is.
  func entries(in repository: Repository, progress: ProgressSink) async throws -> [StatusReport.Entry] {
    let questions = try questions(in: repository)
    guard !questions.isEmpty else { return [] }
    progress.begin("Asking '\(remote.name)'")
    let store: ObjectStore
    do { store = try await repository.remoteStore(remote, create: false) } catch let error as RepositoryError {
      // Nothing was pushed yet.
      guard error.code == .missing else { throw error }
      try repository.forgetComplete(on: remote)
      return questions.map { StatusReport.Entry($0.data.target, .unpushed, message: $0.note) }
    }
    // Looking makes no store.
    let isMade = try repository.storeDirectory().fileStatFollowingLinks() != nil
    let local = isMade ? try await repository.localStore(for: .read).store : nil
    var contents = try await RemoteContents(of: store, readingFrom: local)
    var entries: [StatusReport.Entry] = []
    var complete: Set<ObjectID> = []
    var lacking: Set<ObjectID> = []
    for question in questions {
      let pointer = question.data.pointer
      switch try await contents.state(pointer.kind == .tree ? .tree : .file, oid: pointer.oid, size: pointer.size) {
      case .complete: complete.insert(pointer.oid)
      case .absent:
        lacking.insert(pointer.oid)
        entries.append(StatusReport.Entry(question.data.target, .unpushed, message: question.note))
      case .damaged:
        lacking.insert(pointer.oid)
        entries.append(StatusReport.Entry(question.data.target, .damagedOnRemote, message: question.note))
      }
    }
    // What was remembered and is not so any more must not be told again by a status that does not ask.
    let remembered = repository.knownComplete(on: remote) ?? []
    if !remembered.isDisjoint(with: lacking) { try repository.forgetComplete(on: remote) }
    try repository.noteComplete(complete.union(remembered.subtracting(lacking)), on: remote)
    return entries
  }

  private struct Question {
    let data: TrackedData
    /// Which version it is, if it is not the working tree's.
    let note: String?
  }

  /// The working tree's pointers, then those of HEAD that are others.
  private func questions(in repository: Repository) throws -> [Question] {
    var questions = selection.items.map { Question(data: $0.data, note: nil) }
    guard let head = try repository.git.head().commit else { return questions }
    var met = Set(questions.map(\.data))
    for data in try repository.data(in: head, walk: PointerWalk(repository.git)) where isMeant(data) {
      if met.insert(data).inserted { questions.append(Question(data: data, note: "the version of HEAD")) }
    }
    return questions
  }

  private func isMeant(_ data: TrackedData) -> Bool {
    paths.isEmpty
      || paths.contains { data.target.relative(to: $0) != nil || $0 == data.pointerPath || $0.relative(to: data.target) != nil }
  }
}
