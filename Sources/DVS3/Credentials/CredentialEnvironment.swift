/// What the credential sources may ask of the world around them. They hold rules and touch nothing by themselves.
public struct CredentialEnvironment: Sendable {
  /// Returns a variable of the process, or `nil` if it is not set.
  public let variable: @Sendable (String) -> String?
  /// Returns the content of a file, or `nil` if it does not exist. Must refuse more than ``fileLimit`` bytes.
  public let readFile: @Sendable (String) throws -> [UInt8]?
  /// Makes one request, follows no redirect, and returns the answer whatever its status is.
  public let http: @Sendable (CredentialRequest) async throws(CredentialError) -> CredentialResponse
  /// Runs a program by its name and arguments, without a shell, and returns what it printed, at most ``answerLimit`` bytes. Its standard
  /// input is empty, its errors go to the user's terminal. Throws unless it exits with 0.
  public let run: @Sendable ([String]) async throws -> [UInt8]
  /// Returns the seconds since 1970.
  public let now: @Sendable () -> Int64
  /// The user's home directory, without a `/` at its end; `nil` if there is none.
  public let home: String?

  public init(
    variable: @escaping @Sendable (String) -> String?, readFile: @escaping @Sendable (String) throws -> [UInt8]?,
    http: @escaping @Sendable (CredentialRequest) async throws(CredentialError) -> CredentialResponse,
    run: @escaping @Sendable ([String]) async throws -> [UInt8], now: @escaping @Sendable () -> Int64, home: String?
  ) {
    self.variable = variable
    self.readFile = readFile
    self.http = http
    self.run = run
    self.now = now
    self.home = home
  }

  /// How many bytes of a file of settings or of a token are read: 1 MiB.
  public static let fileLimit = 1 << 20
  /// How many bytes of an answer are read, be it a service's or a program's: 1 MiB.
  public static let answerLimit = 1 << 20
}

/// One request for credentials. Printing it shows method and host only.
public struct CredentialRequest: Sendable, CustomStringConvertible, CustomReflectable {
  public enum Method: String, Sendable { case get = "GET", put = "PUT", post = "POST" }

  public let method: Method
  /// The whole URL, encoded as it must be sent: `http` only to the machine itself and to link-local services.
  public let url: String
  /// In any order, names in lower case, without `host` and `content-length`. Some are secrets.
  public let headers: [(String, String)]
  /// May be a secret.
  public let body: [UInt8]
  /// How long it may take as a whole, in milliseconds.
  public let timeout: Int64
  /// Whether a proxy of the environment may be used: services of the machine itself are not behind it.
  public let usesProxy: Bool

  public init(
    method: Method, url: String, headers: [(String, String)], body: [UInt8] = [], timeout: Int64, usesProxy: Bool
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.usesProxy = usesProxy
  }

  public var description: String { "\(method.rawValue) \((try? ServiceURL(url))?.authority ?? "…")" }
  public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}

/// The answer to a ``CredentialRequest``. Printing it shows its status and size only.
public struct CredentialResponse: Sendable, CustomStringConvertible, CustomReflectable {
  public let status: Int
  /// At most ``CredentialEnvironment/answerLimit`` bytes.
  public let body: [UInt8]

  public init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  public var description: String { "status \(status), \(body.count) bytes" }
  public var customMirror: Mirror { Mirror(self, children: ["response": description]) }
}
