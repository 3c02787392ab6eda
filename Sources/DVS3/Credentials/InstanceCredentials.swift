/// Credentials of the role that an EC2 instance runs with.
public struct InstanceCredentials: CredentialSource {
  private let environment: CredentialEnvironment

  public init(_ environment: CredentialEnvironment) { self.environment = environment }

  public var name: String { "the instance's metadata" }

  public var absence: String {
    environment.isTrue("AWS_EC2_METADATA_DISABLED")
      ? "AWS_EC2_METADATA_DISABLED is true"
      : "no answer or no role; in a container the instance's hop limit must be 2"
  }

  public func credentials() async throws(CredentialError) -> AWSCredentials? {
    guard let metadata = try InstanceMetadata(environment), let token = try await metadata.token() else { return nil }
    let folder = "iam/security-credentials/"
    guard let names = try await metadata.get(folder, token: token) else { return nil }
    let role = names.trimmingSpace.split(separator: UInt8(ascii: "\n")).first.map { String(decoding: $0, as: UTF8.self) }
    guard let role, !role.isEmpty else { return nil }
    guard let answer = try await metadata.get(folder + PercentEncoding.component(role), token: token) else { return nil }
    let parsed = try CredentialAnswer(json: answer, from: name)
    if let code = parsed.code, code != "Success" {
      throw CredentialError(.denied, "it has a role, and no credentials for it: \(parsed.refusal).")
    }
    return try parsed.credentials(from: name)
  }
}
