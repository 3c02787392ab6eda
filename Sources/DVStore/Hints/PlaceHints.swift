import DVObject
import Synchronization

/// Places of objects that were learnt from locators and place lists instead of the index, and nodes that were read on the
/// way.
///
/// A hint may be wrong or stale: whoever reads an object by one proves it, and on failure the hints are dropped and the index
/// is asked. Only a fetch that wants a small part of a large store uses them.
final class PlaceHints: Sendable {
  private struct State {
    /// Places; `nil` for what the store is known to lack.
    var places: [ObjectKey: ObjectLocation?] = [:]
    var objects: [ObjectKey: [UInt8]] = [:]
  }

  private let state = Mutex(State())

  /// What a hint says of an object.
  enum Answer {
    case at(ObjectLocation)
    case absent
  }

  func add(_ location: ObjectLocation?, of key: ObjectKey) { state.withLock { _ = $0.places.updateValue(location, forKey: key) } }

  /// Keeps an object that was read and proved.
  func keep(_ bytes: [UInt8], of key: ObjectKey) { state.withLock { $0.objects[key] = bytes } }

  func answer(for key: ObjectKey) -> Answer? {
    state.withLock { state in
      guard !state.places.isEmpty, let place = state.places[key] else { return nil }
      return place.map { .at($0) } ?? .absent
    }
  }

  /// Returns an object that was read before.
  func object(_ key: ObjectKey) -> [UInt8]? { state.withLock { $0.objects.isEmpty ? nil : $0.objects[key] } }

  /// Returns the places of many objects; `nil` unless something is known of each.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func locations(ofAll keys: [ObjectKey]) -> LocationList? {
    state.withLock { state in
      if state.places.isEmpty { return nil }
      var list = LocationList()
      for (index, key) in keys.enumerated() {
        guard let place = state.places[key] else { return nil }
        if let place { list.append(place, of: index) }
      }
      return list
    }
  }

  /// Forgets all: one of them was wrong.
  func drop() { state.withLock { $0 = State() } }
}
