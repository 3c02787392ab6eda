/// A place that may hold credentials: variables, files, a program, a service.
///
/// Calls come one at a time, because ``CredentialChain`` makes them.
public protocol CredentialSource: Sendable {
  /// Where it looks, for messages: `the environment`, `profile 'lab'`.
  var name: String { get }

  /// Why it has none, said after ``credentials()`` returned `nil`: `AWS_ACCESS_KEY_ID is not set`.
  var absence: String { get }

  /// Returns credentials, or `nil` if this source is not set up, so that the next one is asked.
  ///
  /// - Throws: ``CredentialError`` if it is set up and yet gives none. Then no other source is asked: to go on with another identity
  ///   than the one that was asked for would be a surprise.
  func credentials() async throws(CredentialError) -> AWSCredentials?
}

/// The credentials that a remote's own settings hold.
public struct StaticCredentials: CredentialSource {
  public let name: String
  private let value: AWSCredentials

  /// - Parameter name: Where they stand, for messages.
  public init(_ value: AWSCredentials, name: String = "the remote's settings") {
    self.value = value
    self.name = name
  }

  public var absence: String { "not set" }

  public func credentials() async throws(CredentialError) -> AWSCredentials? { value }
}
