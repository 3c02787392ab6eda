import DVFile

/// Credentials from the service that ECS and EKS put beside a container.
public struct ContainerCredentials: CredentialSource {
  private let environment: CredentialEnvironment

  public init(_ environment: CredentialEnvironment) { self.environment = environment }

  public var name: String { "the container's service" }
  public var absence: String { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set" }

  /// Milliseconds that one request may take: the service is on the machine.
  static let timeout: Int64 = 2_000

  /// Link-local addresses of ECS and EKS, where plain `http` reaches nobody else.
  private static let hosts = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

  public func credentials() async throws(CredentialError) -> AWSCredentials? {
    guard let url = try url() else { return nil }
    var headers = [("accept", "application/json")]
    if let token = try authorization() { headers.append(("authorization", token)) }
    let request = CredentialRequest(
      method: .get, url: url.text, headers: headers, timeout: Self.timeout, usesProxy: false)
    let response = try await environment.send(request, attempts: 3)
    let origin = "\(name) at \(url.authority)"
    guard response.status == 200 else {
      let refusal = (try? CredentialAnswer(json: response.body, from: origin))?.refusal ?? ""
      throw CredentialError(
        response.status >= 500 || response.status == 429 ? .unreachable : .denied,
        "\(url.authority) answers with status \(response.status)\(refusal.isEmpty ? "" : " and says \(refusal)").")
    }
    return try CredentialAnswer(json: response.body, from: origin).credentials(from: origin)
  }

  private func url() throws(CredentialError) -> ServiceURL? {
    if let path = environment.setting("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      guard path.hasPrefix("/") else {
        throw CredentialError(.invalid, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'.")
      }
      return try ServiceURL("http://169.254.170.2\(path)")
    }
    guard let full = environment.setting("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return nil }
    let url = try ServiceURL(full)
    guard url.isSecure || url.isLoopback || Self.hosts.contains(url.host) else {
      throw CredentialError(
        .invalid,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to '\(url.host)' without encryption. Use 'https', or an address of this machine or its container service."
      )
    }
    return url
  }

  private func authorization() throws(CredentialError) -> String? {
    if let file = environment.path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      return try environment.token(in: file, namedBy: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    }
    guard let token = environment.setting("AWS_CONTAINER_AUTHORIZATION_TOKEN") else { return nil }
    guard token.isHeaderValue else {
      throw CredentialError(.invalid, "AWS_CONTAINER_AUTHORIZATION_TOKEN is not one line of printable ASCII.")
    }
    return token
  }
}
