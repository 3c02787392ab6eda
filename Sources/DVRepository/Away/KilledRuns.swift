import DVFile
import DVLineage
import DVObject
public import SystemPackage

/// What a detached run leaves in its folder, `<folder>/started`, before its command starts: what whoever finds the folder after its dv was
/// killed needs to deliver what is there.
struct StartedNote {
  /// The directory that the run is in.
  let root: FilePath
  let start: RunDelivery.Start
  let place: RunDelivery.Place

  private static let name = "started"

  func write(in folder: FilePath) throws {
    var json = JSONObject()
    json["root"] = .string(root.string)
    json["started"] = .string(start.id.hex)
    switch place {
    case .bundle(let bundle): json["bundle"] = .string(bundle.string)
    case .remote(let name): json["remote"] = name.map { .string($0) }
    }
    json["file"] = start.file.map { .string($0.string) }
    try folder.appending(Self.name).createContent(JSONValue.object(json).canonical().span, durable: false)
  }

  /// Reads it; `nil` if there is none, or the directory of the run is gone.
  init?(in folder: FilePath) {
    guard let bytes = try? folder.appending(Self.name).readAll(limit: 64 << 10),
      let json = try? JSONValue(parsing: bytes, named: "a run's note"), let id = try? ObjectID(hex: json["started"]?.string ?? ""),
      let root = json["root"]?.string.map({ FilePath($0) }), ((try? root.fileStat()) ?? nil) != nil
    else { return nil }
    self.init(
      root: root, start: RunDelivery.Start(id, file: json["file"]?.string.map { FilePath($0) }),
      place: json["bundle"]?.string.map { .bundle(FilePath($0)) } ?? .remote(json["remote"]?.string))
  }

  init(root: FilePath, start: RunDelivery.Start, place: RunDelivery.Place) {
    (self.root, self.start, self.place) = (root, start, place)
  }
}

/// The folders of detached runs whose dv was killed: what had been printed and logged is delivered from there, and they are removed. Whoever
/// watched over the run does so at once; if that was killed too, the next run that makes its folder beside them.
public struct KilledRuns: Sendable {
  private let parent: FilePath
  private let lookUp: @Sendable (String) -> String?

  /// - Parameters:
  ///   - parent: where the folders lie.
  ///   - lookUp: looks up variables of the process.
  public init(in parent: FilePath, _ lookUp: @escaping @Sendable (String) -> String?) {
    self.parent = parent
    self.lookUp = lookUp
  }

  /// Carries it out. What fails is told and tried again by the next run.
  public func deliver(_ output: RunOutput, _ progress: ProgressSink) async {
    guard let listing = try? parent.listDirectory() else { return }
    for index in listing.indices where RandomName.isTemporary(String(decoding: listing.name(at: index), as: UTF8.self)) {
      let folder = parent.appending(name: listing.name(at: index))
      let note = StartedNote(in: folder)
      guard let detached = DetachedRepository(leftIn: folder, root: note?.root ?? parent, lookUp) else { continue }
      // Of a run whose command had not started there is nothing to tell.
      guard let note else { continue }
      do {
        for name in try await deliver(note, detached, progress) {
          output.note(.warning("An earlier run was killed with its dv. What it had printed and logged is recorded: dv runs adopt \(name)"))
        }
      } catch {
        detached.isKept = true
        output.note(.warning("An earlier run was killed with its dv, and what it had printed cannot be delivered from '\(folder.printable)': \(error)"))
      }
    }
  }

  /// - Returns: by what name each can be adopted.
  private func deliver(_ note: StartedNote, _ detached: DetachedRepository, _ progress: ProgressSink) async throws -> [String] {
    let repository = try detached.open(.store)
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    let delivery = RunDelivery(place: note.place, repository: repository, progress: progress)
    var names: [String] = []
    for id in try await RunJournal(repository).adopt(book, in: repository) {
      guard let record = try book.record(id) else { continue }
      names.append(try await delivery.end(killed: note.start, record, try await book.run(record)))
    }
    return names
  }
}
