import Synchronization

/// Credentials that stay valid: asks sources in order, keeps what the first one gives, and asks again before it expires.
///
/// However many tasks need credentials, one at a time asks the sources; while what is held is still valid, the others go on with it
/// and do not wait. If a refresh fails then, the old ones stay in use until they expire, and the next try is made half a minute later.
public final class CredentialChain: Sendable {
  private let sources: [any CredentialSource]
  private let now: @Sendable () -> Int64
  private let jitter: @Sendable () -> Int64
  private let state = Mutex(State())

  /// How long before they expire credentials are replaced, in seconds: as long as the longest request takes.
  static let margin: Int64 = 300
  /// How much earlier at most, in seconds, so that a thousand jobs started at once do not all ask at once.
  public static let jitterLimit: Int64 = 60
  /// Seconds between two tries to replace credentials that are still valid.
  static let retryPause: Int64 = 30

  private struct State {
    /// What the sources said last: credentials, or that there are none. `nil` if they were not asked.
    var answer: AWSCredentials??
    /// From when on it is replaced, in seconds since 1970.
    var replaceAt = Int64.max
    var refresh: Task<Result<AWSCredentials?, CredentialError>, Never>?

    /// Credentials that still work at `time`.
    func valid(at time: Int64) -> AWSCredentials? {
      guard let held = answer ?? nil, held.expiration.map({ time < $0 }) ?? true else { return nil }
      return held
    }
  }

  /// - Parameters:
  ///   - sources: In the order in which they are asked.
  ///   - now: Seconds since 1970.
  ///   - jitter: Seconds, from 0 to ``jitterLimit``.
  public init(
    _ sources: [any CredentialSource], now: @escaping @Sendable () -> Int64,
    jitter: @escaping @Sendable () -> Int64 = { Int64.random(in: 0...CredentialChain.jitterLimit) }
  ) {
    self.sources = sources
    self.now = now
    self.jitter = jitter
  }

  /// Returns credentials valid now, or `nil` if no source is set up, which ``explanation`` then explains.
  ///
  /// That there are none is remembered like credentials, until ``invalidate(_:)``. A task that is cancelled while it waits
  /// goes on waiting: others may need the answer, and every source limits its time.
  ///
  /// - Throws: ``CredentialError`` with what was tried and why it failed.
  public func current() async throws(CredentialError) -> AWSCredentials? {
    try await decide().get()
  }

  /// Looks what is held and decides what to do in one go, so that of many tasks only one begins a refresh.
  private func decide() async -> Result<AWSCredentials?, CredentialError> {
    let refresh: Task<Result<AWSCredentials?, CredentialError>, Never>
    switch state.withLock({ state in next(&state) }) {
    case .answer(let answer): return .success(answer)
    case .wait(let running): refresh = running
    }
    return await refresh.value
  }

  private enum Step {
    case answer(AWSCredentials?)
    case wait(Task<Result<AWSCredentials?, CredentialError>, Never>)
  }

  private func next(_ state: inout State) -> Step {
    let time = now()
    if let answer = state.answer {
      guard answer != nil else { return .answer(nil) }
      if let valid = state.valid(at: time), time < state.replaceAt || state.refresh != nil { return .answer(valid) }
    }
    if let running = state.refresh { return .wait(running) }
    // It belongs to no caller: the one that began it may be cancelled while others wait for it.
    let refresh = Task { await self.refresh() }
    state.refresh = refresh
    return .wait(refresh)
  }

  private func refresh() async -> Result<AWSCredentials?, CredentialError> {
    let asked: Result<AWSCredentials?, CredentialError>
    do throws(CredentialError) { asked = .success(try await ask()) } catch { asked = .failure(error) }
    return state.withLock { state in
      state.refresh = nil
      let time = now()
      switch asked {
      case .success(let new?):
        state.answer = .some(new)
        // What lives shorter than the margin, or cannot be replaced by its source, must not be asked for at each request.
        let replaceAt = new.expiration.map { max($0 - Self.margin - jitter(), time + Self.retryPause) }
        state.replaceAt = replaceAt ?? .max
        return .success(new)
      case .success(nil), .failure:
        if let held = state.valid(at: time) {
          state.replaceAt = time + Self.retryPause
          return .success(held)
        }
        if case .success = asked { state.answer = .some(nil) } else { state.answer = nil }
        return asked
      }
    }
  }

  private func ask() async throws(CredentialError) -> AWSCredentials? {
    var passed: [String] = []
    for source in sources {
      do throws(CredentialError) {
        if let found = try await source.credentials() {
          guard let expiration = found.expiration, expiration <= now() else { return found }
          throw CredentialError(.expired, "they expired at \(CivilTime(secondsSince1970: expiration).readable).")
        }
      } catch {
        let before = passed.isEmpty ? "" : " Looked before in: \(passed.joined(separator: ", "))."
        throw CredentialError(error.code, "Cannot get credentials from \(source.name): \(error.message)\(before)")
      }
      passed.append("\(source.name) (\(source.absence))")
    }
    return nil
  }

  /// Forgets what is held, so that the sources are asked again: the server refused it, although by its term it is valid.
  ///
  /// - Parameter used: What the refused request was signed with. Credentials that have replaced it meanwhile are kept.
  public func invalidate(_ used: AWSCredentials? = nil) {
    state.withLock { state in
      guard let answer = state.answer, used == nil || answer == used else { return }
      state.answer = nil
    }
  }

  /// Where credentials were looked for, in order, and why there were none.
  public var explanation: String {
    sources.map { "\($0.name) (\($0.absence))" }.joined(separator: ", ")
  }
}
