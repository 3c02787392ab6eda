import DVFile
public import SystemPackage

extension CredentialEnvironment {
  /// The world as this process sees it.
  ///
  /// - Parameters:
  ///   - variable: Returns a variable of the process.
  ///   - certificates: A file of certificates to trust in place of the machine's.
  public static func system(
    variable: @escaping @Sendable (String) -> String?, certificates: FilePath? = nil
  ) -> CredentialEnvironment {
    CredentialEnvironment(
      variable: variable,
      readFile: { path in
        do {
          let reader = try FileReader(FilePath(path), followingLink: true)
          var bytes: [UInt8] = []
          try reader.readAll(into: &bytes, limit: CredentialEnvironment.fileLimit)
          return bytes
        } catch let error as FileError where error.code == .notFound || error.code == .notDirectory {
          return nil
        }
      },
      http: { (request) async throws(CredentialError) in
        try await ask(request, variable: variable, certificates: certificates)
      },
      run: { words in
        try await BlockingThreads.run { () throws(FileError) in
          try ProgramOutput.of(words, limit: CredentialEnvironment.answerLimit)
        }
      },
      now: { FileTime.now.seconds }, home: variable("HOME"))
  }

  private static func ask(
    _ request: CredentialRequest, variable: (String) -> String?, certificates: FilePath?
  ) async throws(CredentialError) -> CredentialResponse {
    do {
      var settings = HTTPSettings(certificates: certificates)
      settings.connectTimeout = max(1, (request.timeout + 999) / 1000)
      settings.stallTimeout = settings.connectTimeout
      if request.usesProxy {
        let authority = request.url.prefix { $0 != "?" && $0 != "#" }
        settings.proxy = try HTTPProxy(for: HTTPEndpoint(String(authority)), environment: variable)
      }
      let reply = try await HTTPConnections.with(settings).exchange(
        HTTPRequest(
          method: request.method.rawValue, url: request.url, headers: request.headers,
          body: request.body.isEmpty ? .none : .bytes(request.body), limit: CredentialEnvironment.answerLimit,
          timeout: .milliseconds(request.timeout)))
      return CredentialResponse(status: reply.status, body: reply.body)
    } catch let error as TransportError {
      throw CredentialError(.unreachable, error.reason)
    } catch {
      throw CredentialError(.invalid, "\(error)")
    }
  }
}
