import DVObject
import Synchronization

/// Remembers the nodes read last: the three sides of a merge have most nodes in common and come to them about together.
final class NodeMemory: Sendable {
  private struct State {
    var nodes: [ObjectID: [UInt8]] = [:]
    var order: [ObjectID] = []
  }

  /// A node has some tens of kilobytes.
  private static let limit = 32

  private let state = Mutex(State())
  private let read: NodeReader

  init(over read: @escaping NodeReader) { self.read = read }

  var reader: NodeReader {
    { id in
      if let bytes = self.state.withLock({ $0.nodes[id] }) { return bytes }
      let bytes = try await self.read(id)
      self.state.withLock { state in
        guard state.nodes.updateValue(bytes, forKey: id) == nil else { return }
        state.order.append(id)
        if state.order.count > Self.limit { state.nodes[state.order.removeFirst()] = nil }
      }
      return bytes
    }
  }
}
