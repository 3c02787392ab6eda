import DVFile
import DVObject
import SystemPackage

/// File names for things that have a path of their own: the first half of the path's SHA-256.
enum ObjectNaming {
  static func name(of path: FilePath) -> String {
    String(ObjectID(hashing: Array(path.string.utf8).span).hex.prefix(32))
  }
}
