import AsyncHTTPClient
import DVFile
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import SystemPackage

/// The connections of this process to servers, made when they are first needed and kept for the next request.
///
/// A client of async-http-client must be shut down or live as long as its process. These live as long: they hold a few threads
/// and idle connections, which the end of the process ends.
final class HTTPConnections: Sendable {
  private static let all = Mutex<[HTTPSettings: HTTPConnections]>([:])

  /// As few threads as can keep up: one moves some gigabytes per second, and the other cores are busy hashing.
  private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: max(1, min(4, Machine.coreCount / 2)))

  /// The most connections to one server.
  static let width = 64

  private let client: HTTPClient

  /// Returns the connections of these settings.
  ///
  /// - Throws: ``TransportError`` if the file of certificates cannot be read.
  static func with(_ settings: HTTPSettings) throws(TransportError) -> HTTPConnections {
    let found = all.withLock { $0[settings] }
    if let found { return found }
    let made = try HTTPConnections(settings)
    return all.withLock { all in
      if let other = all[settings] {
        made.client.shutdown { _ in }
        return other
      }
      all[settings] = made
      return made
    }
  }

  private init(_ settings: HTTPSettings) throws(TransportError) {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(
        connect: .seconds(settings.connectTimeout), read: .seconds(settings.stallTimeout),
        write: .seconds(settings.stallTimeout)),
      decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.width
    configuration.connectionPool.idleTimeout = .seconds(20)
    // Trying again is decided above, where it is counted.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let certificates = settings.certificates {
      var tls = TLSConfiguration.makeClientConfiguration()
      do { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificates.string)) } catch {
        throw TransportError(
          code: .untrusted, reason: "the file of certificates '\(certificates.printable)' cannot be read: \(error)")
      }
      configuration.tlsConfiguration = tls
    }
    if let proxy = settings.proxy {
      let authorization = proxy.user.map { HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "") }
      configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
    }
    client = HTTPClient(eventLoopGroupProvider: .shared(Self.threads), configuration: configuration)
  }

  /// Makes one request and waits for the whole answer.
  ///
  /// A request may take a minute, and a second more for each 16 KiB that go either way: a server that sends a byte now
  /// and then is given up too.
  func exchange(_ request: HTTPRequest) async throws(TransportError) -> HTTPReply {
    let collector = ReplyCollector(limit: request.limit, isHead: request.method == "HEAD")
    let bytes = max(request.body.count, request.limit)
    let time = request.timeout.map { TimeAmount($0) } ?? .seconds(60 + Int64(bytes >> 14))
    do {
      let task = client.execute(
        request: try Self.request(request), delegate: collector, deadline: .now() + time)
      return try await withTaskCancellationHandler {
        try await task.futureResult.get()
      } onCancel: {
        task.fail(reason: HTTPClientError.cancelled)
      }
    } catch {
      if case .file(let slice) = request.body, let problem = slice.problem {
        throw TransportError(code: .changedFile, reason: problem)
      }
      throw TransportError(error, isCancelled: Task.isCancelled)
    }
  }

  /// Makes one request and hands the body of its answer on piece by piece. Only a standstill ends it early.
  ///
  /// - Parameter receiver: told of the head, whose body it may decline, then of each piece.
  /// - Returns: the answer without its body.
  func stream(_ request: HTTPRequest, to receiver: some BodyReceiver) async throws(TransportError) -> HTTPReply {
    let stream = BodyStream(to: receiver)
    do {
      let task = client.execute(request: try Self.request(request), delegate: stream)
      return try await withTaskCancellationHandler {
        try await task.futureResult.get()
      } onCancel: {
        task.fail(reason: HTTPClientError.cancelled)
      }
    } catch {
      throw TransportError(error, isCancelled: Task.isCancelled)
    }
  }

  private static func request(_ request: HTTPRequest) throws -> HTTPClient.Request {
    var headers = HTTPHeaders()
    headers.reserveCapacity(request.headers.count + 2)
    for (name, value) in request.headers { headers.add(name: name, value: value) }
    let body: HTTPClient.Body?
    switch request.body {
    case .none:
      body = nil
      // Without it some servers wait for a body that does not come.
      if request.method == "PUT" || request.method == "POST" { headers.add(name: "content-length", value: "0") }
    case .bytes(let bytes): body = .byteBuffer(ByteBuffer(bytes: bytes))
    case .file(let slice):
      body = .stream(contentLength: Int64(slice.count)) { writer in
        // Its first write tells which loop the request runs on.
        writer.write(.byteBuffer(ByteBuffer())).flatMapWithEventLoop { _, loop in
          loop.makeFutureWithTask {
            try await slice.send { piece in try await writer.write(.byteBuffer(ByteBuffer(bytes: piece))).get() }
          }
        }
      }
    }
    return try HTTPClient.Request(
      url: request.url, method: HTTPMethod(rawValue: request.method), headers: headers, body: body)
  }
}
