import DVObject
import Synchronization

/// Places of objects that were learnt from locators and sidecars instead of the index.
///
/// A hint may be wrong or stale: whoever reads an object by one proves it, and on failure the hints are dropped and the index
/// is asked. Only a fetch that wants a small part of a large store uses them.
final class PlaceHints: Sendable {
  private let places = Mutex<[ObjectKey: ObjectLocation]>([:])

  /// Whether there is none.
  var isEmpty: Bool { places.withLock { $0.isEmpty } }

  func add(_ location: ObjectLocation, of key: ObjectKey) { places.withLock { $0[key] = location } }

  func location(of key: ObjectKey) -> ObjectLocation? { places.withLock { $0.isEmpty ? nil : $0[key] } }

  /// Returns the places of many objects; `nil` unless all of them are known.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func locations(ofAll keys: [ObjectKey]) -> LocationList? {
    places.withLock { places in
      if places.isEmpty { return nil }
      var list = LocationList()
      for (index, key) in keys.enumerated() {
        guard let location = places[key] else { return nil }
        list.append(location, of: index)
      }
      return list
    }
  }

  /// Forgets all: one of them was wrong.
  func drop() { places.withLock { $0 = [:] } }
}
