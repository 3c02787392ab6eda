import Foundation
import SystemPackage

/// Whether two paths are the same file, however they are written.
func same(_ left: FilePath?, _ right: FilePath) throws -> Bool {
  guard let left else { return false }
  func identity(_ path: FilePath) throws -> [Int?] {
    let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
    return [(attributes[.systemNumber] as? Int), (attributes[.systemFileNumber] as? Int)]
  }
  return try identity(left) == identity(right)
}

/// Removes a directory and all in it.
func removeTree(_ path: FilePath) throws {
  try FileManager.default.removeItem(atPath: path.string)
}
