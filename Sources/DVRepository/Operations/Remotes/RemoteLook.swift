import DVBackend
import DVS3

/// What a first look at a bucket or a web server shows, beside that it can be read.
struct RemoteLook: Sendable {
  /// Whether this user may write there.
  var isWritable: Bool
  /// What the server can do; `nil` if that was not tried, because nothing may be written.
  var capabilities: S3Capabilities?

  init(isWritable: Bool) { self.isWritable = isWritable }

  /// Looks at a bucket: reads from it, then tries out what its server can do, and keeps that for this clone.
  ///
  /// - Throws: ``BackendError`` if the bucket is not there, refuses to be read, or does not answer.
  init(at location: S3Location, _ bucket: BucketOpening) async throws {
    let backend = try await bucket.backend(location)
    _ = try await backend.list("format/")
    guard !bucket.settings.isAnonymous else {
      isWritable = false
      return
    }
    do throws(BackendError) {
      let found = try await backend.probe()
      (isWritable, capabilities) = (true, found)
    } catch {
      guard error.code == .denied else { throw error }
      isWritable = false
      return
    }
    if let capabilities { try await bucket.keep(capabilities, of: location) }
  }
}
