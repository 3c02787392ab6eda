import Synchronization

@testable import DVS3

/// A machine for credential sources to look around on: variables, files, services and programs, all given by the test. What was asked of it
/// is written down.
final class CredentialWorld: Sendable {
  private struct State {
    var variables: [String: String]
    var files: [String: String]
    var now: Int64 = 1_700_000_000
    var requests: [CredentialRequest] = []
    var commands: [[String]] = []
  }

  typealias Service = @Sendable (CredentialRequest) async throws(CredentialError) -> CredentialResponse

  private let state: Mutex<State>
  private let service: Service
  private let program: @Sendable ([String]) throws -> String

  /// - Parameter files: `~` stands for the home directory.
  init(
    _ variables: [String: String] = [:], files: [String: String] = [:],
    service: @escaping Service = { (request) throws(CredentialError) in
      throw CredentialError(.unreachable, "no answer from \(request.url).")
    }, program: @escaping @Sendable ([String]) throws -> String = { _ in throw NoSuchProgram() }
  ) {
    let files = Dictionary(
      uniqueKeysWithValues: files.map { ($0.key.hasPrefix("~") ? "/home/ada" + $0.key.dropFirst() : $0.key, $0.value) })
    state = Mutex(State(variables: variables, files: files))
    self.service = service
    self.program = program
  }

  struct NoSuchProgram: Error {}

  var environment: CredentialEnvironment {
    CredentialEnvironment(
      variable: { name in self.state.withLock { $0.variables[name] } },
      readFile: { path in self.state.withLock { $0.files[path].map { Array($0.utf8) } } },
      http: { (request) throws(CredentialError) in
        self.state.withLock { $0.requests.append(request) }
        return try await self.service(request)
      },
      run: { arguments in
        self.state.withLock { $0.commands.append(arguments) }
        return Array(try self.program(arguments).utf8)
      }, now: { self.state.withLock { $0.now } }, home: "/home/ada")
  }

  var requests: [CredentialRequest] { state.withLock { $0.requests } }
  var commands: [[String]] { state.withLock { $0.commands } }
  func set(_ name: String, _ value: String?) { state.withLock { $0.variables[name] = value } }
  func advance(_ seconds: Int64) { state.withLock { $0.now += seconds } }

  var chain: CredentialChain { .standard(remote: nil, region: nil, environment: environment) }

  /// What the chain says instead of credentials.
  func failure(_ chain: CredentialChain? = nil) async -> CredentialError? {
    do throws(CredentialError) {
      _ = try await (chain ?? self.chain).current()
      return nil
    } catch { return error }
  }
}

extension CredentialResponse {
  init(_ status: Int, _ text: String = "") { self.init(status: status, body: Array(text.utf8)) }

  /// Credentials as STS gives them, whose secrets begin with `hush`.
  static func assumed(_ key: String, action: String = "AssumeRole", until expiration: String = "2023-11-14T23:13:20Z") -> Self {
    Self(
      200,
      "<\(action)Response><\(action)Result><Credentials><AccessKeyId>\(key)</AccessKeyId><SecretAccessKey>hush-\(key)</SecretAccessKey><SessionToken>hush-token</SessionToken><Expiration>\(expiration)</Expiration></Credentials></\(action)Result></\(action)Response>"
    )
  }

  /// Credentials as the container's and the instance's services give them.
  static func json(_ key: String, more: String = "") -> Self {
    Self(
      200,
      "{\"Code\":\"Success\",\"AccessKeyId\":\"\(key)\",\"SecretAccessKey\":\"hush\",\"Token\":\"hush-token\",\"Expiration\":\"2023-11-14T23:13:20Z\"\(more)}"
    )
  }
}

extension CredentialRequest {
  func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
  var form: [String: String] {
    let pairs = String(decoding: body, as: UTF8.self).split(separator: "&").compactMap { pair -> (String, String)? in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return PercentEncoding.decode(String(parts[1]), plusIsSpace: true).map { (String(parts[0]), $0) }
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}
