import DVFile
import DVObject
import DVTesting
import Foundation
import SystemPackage
import Testing

/// Data from elsewhere: other repositories, paths, web servers, buckets.
struct ImportTests {
  /// A repository with two versions of a directory, the first tagged, and a remote that has both.
  private func makeUpstream(_ sandbox: Sandbox) throws -> FilePath {
    let up = sandbox.folder.appending("up")
    try sandbox.script(
      """
      mkdir -p "\(up)" "\(sandbox.folder)/remote" && cd "\(up)" && git init -q -b main && dv init -q
      dv remote add origin "\(sandbox.folder)/remote" -q
      mkdir -p raw/sub && echo a > raw/a && head -c 300000 /dev/urandom > raw/sub/large && echo 'lr: 1' > params.yaml
      dv add -q raw && git add -A && git commit -qm one && git tag v1
      echo b > raw/a && dv add -q raw && git commit -qam two && dv push -q --all
      """)
    return up
  }

  private func records(_ sandbox: Sandbox) throws -> [[String: Any]] {
    try sandbox.script("cat .dv/records/*/*.json | sed 's/}{/}\\n{/g'").text.split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  @Test func dataOfAnotherRepositoryIsTrackedWithItsSource() throws {
    let sandbox = try Sandbox()
    let up = try makeUpstream(sandbox)
    let first = try sandbox.dv("import", "--json", "../up", "raw", "--rev", "v1").succeed().json
    #expect(first["changed"] as? Bool == true && first["kind"] as? String == "tree" && first["files"] as? Int == 2)
    let source = try #require(first["source"] as? [String: Any])
    let commit = try sandbox.git("rev-parse", "v1", in: up).text.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(source["url"] as? String == "../up" && source["from"] as? String == "raw" && source["rev"] as? String == "v1")
    #expect(source["commit"] as? String == commit)
    #expect(try sandbox.read("raw/a") == "a\n")
    try sandbox.script("cmp raw/sub/large ../up/raw/sub/large && dv status && test -z \"$(git status --short | grep -v '^A ')\"")
    let record = try #require(try records(sandbox).first)
    #expect(record["type"] as? String == "source" && record["url"] as? String == "../up")
    try sandbox.commit("import")
    // The graph knows it, and an audit misses nothing.
    let lineage = try sandbox.dv("lineage", "--json", "raw").succeed().json
    let nodes = try #require(lineage["nodes"] as? [[String: Any]])
    #expect(nodes.contains { $0["type"] as? String == "source" })
    try sandbox.dv("audit").succeed()
    // Again is no change. A tag stays what it is; a branch is followed.
    #expect(try sandbox.dv("import", "--json", "../up", "raw", "--rev", "v1").succeed().json["changed"] as? Bool == false)
    #expect(try sandbox.git("status", "--short").text.isEmpty)
    #expect(try sandbox.dv("update").succeed().text.contains("up to date"))
    #expect(try sandbox.dv("update", "raw", "--rev", "main", "--dry-run").succeed().text.contains("would be updated"))
    #expect(try sandbox.read("raw/a") == "a\n")
    try sandbox.dv("update", "raw", "--rev", "main").succeed()
    #expect(try sandbox.read("raw/a") == "b\n")
    try sandbox.script("cd ../up && echo c > raw/a && dv add -q raw && git commit -qam three")
    // Not pushed: a folder's own store has it.
    let updated = try #require(try sandbox.dv("update", "--json").succeed().json["items"] as? [[String: Any]])
    #expect(updated.map { $0["state"] as? String } == ["updated"])
    #expect(try sandbox.read("raw/a") == "c\n")
  }

  @Test func partsAndFilesOfGitCanBeImported() throws {
    let sandbox = try Sandbox()
    _ = try makeUpstream(sandbox)
    try sandbox.script("git clone -q --bare ../up ../up.git")
    let url = Sandbox.Argument("file://\(sandbox.folder)/up.git")
    try sandbox.dv("import", url, "raw/sub", "-o", "deep/place").succeed()
    try sandbox.dv("import", url, "raw/a", "--rev", "v1").succeed()
    try sandbox.dv("import", url, "params.yaml").succeed()
    try sandbox.script("cmp deep/place/large ../up/raw/sub/large")
    #expect(try sandbox.read("a") == "a\n" && sandbox.read("params.yaml") == "lr: 1\n")
    try sandbox.commit("imports")
    // A part that moved on in the other repository does so here; one that did not, does not.
    try sandbox.script("cd ../up && echo more >> raw/sub/large && echo 'lr: 2' > params.yaml && dv add -q raw && git add -A && git commit -qm more && dv push -q && git push -q ../up.git main")
    let states = try #require(try sandbox.dv("update", "--json").succeed().json["items"] as? [[String: Any]])
    #expect(states.map { $0["state"] as? String } == ["current", "updated", "updated"])
    #expect(try sandbox.read("params.yaml") == "lr: 2\n")
    try sandbox.script("cmp deep/place/large ../up/raw/sub/large")
    // Moved data is still known; data that was changed here is not replaced unasked.
    try sandbox.dv("mv", "params.yaml", "p.yaml").succeed()
    #expect(try sandbox.dv("update", "p.yaml").succeed().text.contains("up to date"))
    try sandbox.write("mine\n", to: "p.yaml")
    try sandbox.script("cd ../up && echo 'lr: 3' > params.yaml && git commit -qam lr && git push -q ../up.git main")
    #expect(try sandbox.dv("update", "p.yaml").exit(7).errorText.contains("differs from its pointer"))
    try sandbox.dv("add", "p.yaml").succeed()
    #expect(try sandbox.dv("update", "p.yaml").exit(2).errorText.contains("was not imported"))
    #expect(try sandbox.read("p.yaml") == "mine\n")
  }

  @Test func workIsNotReplacedAndMistakesAreTold() throws {
    let sandbox = try Sandbox()
    _ = try makeUpstream(sandbox)
    try sandbox.write("mine\n", to: "raw")
    #expect(try sandbox.dv("import", "../up", "raw").exit(7).errorText.contains("exists"))
    #expect(try sandbox.read("raw") == "mine\n")
    try sandbox.dv("add", "raw").succeed()
    #expect(try sandbox.dv("import", "../up", "raw").exit(7).errorText.contains("came from elsewhere"))
    try sandbox.dv("import", "../up", "raw", "--force").succeed()
    #expect(try sandbox.read("raw/a") == "b\n")
    try sandbox.dv("import", "../up", "none").exit(2)
    try sandbox.dv("import", "../up", "raw", "--rev", "no-such").exit(2)
    try sandbox.dv("import", "file:///no/such", "raw", "-o", "x").exit(5)
    try sandbox.dv("import", "../up", "raw", "-o", "raw/inside/x").exit(2)
    try sandbox.dv("import", "../up", "raw", "-o", ".dv/x").exit(2)
    try sandbox.dv("import", "../up", "raw", "-o", "../x").exit(2)
    // What the other repository cannot deliver is no import.
    try sandbox.script("rm -rf ../remote/packs ../up/.git/dv/store/packs")
    try sandbox.dv("import", "../up", "raw", "--rev", "v1", "-o", "lost").exit(3)
    #expect(try !sandbox.exists("lost") && !sandbox.exists("lost.dv"))
    #expect(try sandbox.dv("update", "--force", "raw").succeed().text.contains("up to date"))
    // Credentials of a URL are not recorded.
    try sandbox.script("git config --file \"$HOME/.gitconfig\" url.\"\(sandbox.folder)/up\".insteadOf https://ada:hunter2@host/up")
    _ = try sandbox.dv("import", "https://ada:hunter2@host/up", "params.yaml").succeed()
    #expect(try records(sandbox).contains { $0["url"] as? String == "https://host/up" })
    #expect(try sandbox.script("grep -r hunter2 . || true").text.isEmpty)
  }

  @Test func pathsAreImportedAndUpdated() throws {
    let sandbox = try Sandbox()
    try sandbox.script("mkdir -p ../share/d/e && echo 1 > ../share/d/e/f && printf '#!/bin/sh\\n' > ../share/d/run && chmod +x ../share/d/run")
    try sandbox.dv("import-url", "../share/d").succeed()
    try sandbox.dv("import-url", Sandbox.Argument("file://\(sandbox.folder)/share/d/e/f"), "-o", "one").succeed()
    try sandbox.script("test -x d/run && diff -r d ../share/d && cmp one d/e/f")
    try sandbox.commit("import")
    #expect(try sandbox.dv("update").succeed().text.contains("up to date"))
    #expect(try sandbox.git("status", "--short").text.isEmpty)
    try sandbox.script("echo 2 > ../share/d/e/f")
    #expect(try sandbox.dv("update", "--dry-run").succeed().text.contains("may have changed"))
    try sandbox.dv("update").succeed()
    try sandbox.script("diff -r d ../share/d && cmp one d/e/f")
    try sandbox.dv("import-url", "../share/none").exit(3)
    try sandbox.dv("import-url", "ftp://host/x").exit(2)
  }

  @Test func filesOfWebServersAreImported() throws {
    let sandbox = try Sandbox()
    let served = sandbox.folder.appending("served")
    try sandbox.script("mkdir -p ../served && head -c 3000000 /dev/urandom > ../served/a.bin && echo x > '../served/b c.txt'")
    let server = try WebServer(serving: served, sandbox)
    defer { server.stop() }
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/a.bin")).succeed()
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/b%20c.txt")).succeed()
    try sandbox.script("cmp a.bin ../served/a.bin && cmp 'b c.txt' '../served/b c.txt'")
    #expect(try sandbox.dv("update").succeed().text.contains("up to date"))
    try sandbox.script("head -c 3000001 /dev/urandom > ../served/a.bin")
    #expect(try sandbox.dv("update", "a.bin").succeed().text.contains("Updated"))
    try sandbox.script("cmp a.bin ../served/a.bin")
    let wrong = String(repeating: "0", count: 64)
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/a.bin"), "-o", "x", "--sha256", Sandbox.Argument(wrong)).exit(4)
    #expect(try !sandbox.exists("x"))
    let digest = try sandbox.script("sha256sum a.bin").text.prefix(64)
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/a.bin"), "-o", "x", "--sha256", Sandbox.Argument(String(digest))).succeed()
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/none")).exit(3)
    #expect(try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/a.bin?X-Amz-Signature=abc"), "-o", "y").exit(2).errorText.contains("secret"))
    try sandbox.dv("import-url", Sandbox.Argument(server.url)).exit(2)
  }

  /// A server that hangs up in the middle, redirects, and tells what it was asked for.
  private static let server = """
    import hashlib, http.server, re, sys, threading
    content = open(sys.argv[1], 'rb').read()
    tag = '"' + hashlib.sha256(content).hexdigest() + '"'
    class Handler(http.server.BaseHTTPRequestHandler):
        tries = 0
        def log_message(self, *a): pass
        def do_HEAD(self): self.do_GET()
        def do_GET(self):
            with open(sys.argv[2], 'a') as log: log.write(f"{self.command} {self.path} {self.headers.get('Range')} {self.headers.get('If-Range')}\\n")
            if self.path == '/loop': return self.answer(302, {'Location': '/loop'}, b'')
            if self.path == '/from': return self.answer(302, {'Location': '/file'}, b'')
            start, match = 0, re.match(r'bytes=(\\d+)-', self.headers.get('Range') or '')
            if match and self.headers.get('If-Range') == tag: start = int(match[1])
            headers = {'ETag': tag, 'Content-Length': str(len(content) - start)}
            if start: headers['Content-Range'] = f'bytes {start}-{len(content) - 1}/{len(content)}'
            if self.command == 'HEAD': return self.answer(200, headers, b'')
            Handler.tries += 1
            body = content[start:]
            if Handler.tries < int(sys.argv[3]): body = body[:len(body) // 2]
            self.answer(206 if start else 200, headers, body)
            if len(body) < len(content) - start: self.connection.close()
        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers.items(): self.send_header(name, value)
            if 'Content-Length' not in headers: self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            if self.command != 'HEAD': self.wfile.write(body); self.wfile.flush()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    """

  @Test func downloadsGoOnFromWhereTheyStopped() throws {
    let sandbox = try Sandbox()
    try sandbox.script("head -c 4000000 /dev/urandom > ../content; touch ../log")
    let log = sandbox.folder.appending("log")
    let server = try WebServer(
      script: Self.server, arguments: [sandbox.folder.appending("content").string, log.string, "4"])
    defer { server.stop() }
    try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/from"), "-o", "file").succeed()
    try sandbox.script("cmp file ../content")
    let asked = String(decoding: try log.readAll(limit: 1 << 20), as: UTF8.self)
    #expect(asked.contains("GET /file bytes=2000000- \""), "\(asked)")
    #expect(asked.contains("GET /file bytes=3000000- \""), "\(asked)")
    #expect(try sandbox.dv("update").succeed().text.contains("up to date"))
    #expect(try sandbox.dv("import-url", Sandbox.Argument("\(server.url)/loop")).exit(2).errorText.contains("again and again"))
  }

  /// What a remote's path is relative to: the folder, with or without a working tree, also by URL.
  @Test func relativeRemotesAreFoundFromTheirRepository() throws {
    let sandbox = try Sandbox()
    let up = try makeUpstream(sandbox)
    try sandbox.script(
      "git config --file .dv/config remote.origin.url ../remote && git commit -qam relative && git clone -q --bare . ../up.git && rm -rf .git/dv/store", in: up)
    for (index, url) in ["../up", "../up.git", "file://\(up)", "file://\(sandbox.folder)/up.git"].enumerated() {
      let place = "copy\(index)"
      try sandbox.dv("get", .init(url), "raw", "--rev", "v1", "-o", .init(place)).succeed()
      #expect(try sandbox.read("\(place)/a") == "a\n")
      #expect(try sandbox.dv("import", .init(url), "raw/", "-o", "data\(index)").succeed().text.hasPrefix("Imported"))
      #expect(try sandbox.read("data\(index)/a") == "b\n")
      #expect(try sandbox.dv("cat", "--repo", .init(url), "raw/a").succeed().text == "b\n")
    }
    // Where no folder is, it is said; an import has all of it from before.
    try sandbox.script("git config --file \"$HOME/.gitconfig\" url.\"\(sandbox.folder)/up.git\".insteadOf https://host/up")
    let refused = try sandbox.dv("get", "https://host/up", "raw", "-o", "far").exit(2)
    #expect(refused.errorText.contains("'../remote', which is relative to a folder that is not here"), "\(refused.errorText)")
    try sandbox.dv("import", "https://host/up", "raw", "-o", "here").succeed()
    #expect(try sandbox.dv("get", "../up", ".").exit(2).errorText.contains("-o"))
    #expect(try sandbox.dv("get", "../up", "../x").exit(2).errorText.contains("no path from the top"))
  }

  /// What was gathered on its way here goes when nobody can go on with it.
  @Test func leftDownloadsAreRemoved() throws {
    let sandbox = try Sandbox()
    _ = try makeUpstream(sandbox)
    let downloads = sandbox.path(".git/dv/downloads")
    try sandbox.script(
      """
      mkdir -p .git/dv/downloads/.dv-0123456789abcdef012345.tmp .git/dv/downloads/old/file .git/dv/downloads/new/file
      touch .git/dv/downloads/.dv-0123456789abcdef012345.tmp/data .git/dv/downloads/new/file/content
      touch -d '8 days ago' .git/dv/downloads/old/file/content .git/dv/downloads/old/lock
      """)
    func names() throws -> [String] { try sandbox.script("ls -A .git/dv/downloads").text.split(separator: "\n").map(String.init).sorted() }
    // A directory with several targets is copied; a file of git's, too.
    try sandbox.dv("import", "../up", "params.yaml").succeed()
    #expect(try names() == ["lock", "new"])
    try sandbox.dv("gc").succeed()
    #expect(try names() == ["lock", "new"])
    // One that is used stays.
    guard let lock = try FileLock.attempt(downloads.appending("new/lock"), .exclusive) else {
      Issue.record("The lock is held.")
      return
    }
    try sandbox.dv("gc", "--now").succeed()
    #expect(try names() == ["lock", "new"])
    _ = consume lock
    try sandbox.script("touch -d '2 seconds ago' .git/dv/downloads/new/file/content")
    try sandbox.dv("gc", "--now").succeed()
    #expect(try names() == ["lock"])
  }

  @Test(arguments: [TestServers.Kind.moto, .rclone])
  func objectsOfBucketsAreImported(kind: TestServers.Kind) throws {
    let sandbox = try Sandbox.withBucketKeys(of: kind)
    sandbox.variables["AWS_ENDPOINT_URL_S3"] = try TestServers.url(of: kind)
    let url = "s3://\(TestServers.bucket)/\(TestServers.freshPrefix())"
    // What a push leaves in a bucket is something that somebody stored there.
    try sandbox.write([UInt8](repeating: 7, count: 20_000_000).enumerated().map { UInt8(truncatingIfNeeded: $0.offset &* 7 >> 3) }, to: sandbox.path("large"))
    try sandbox.dv("add", "large").succeed()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(url)).succeed()
    try sandbox.dv("push").succeed()
    try sandbox.dv("import-url", Sandbox.Argument("\(url)/format/1"), "-o", "one").succeed()
    #expect(try sandbox.read("one").hasPrefix("dv-format 1\n"))
    try sandbox.dv("import-url", Sandbox.Argument(url), "-o", "all").succeed()
    try sandbox.script("cmp one all/format/1 && test -n \"$(ls all/packs)\"")
    try sandbox.commit("import")
    #expect(try sandbox.dv("update").succeed().text.contains("up to date"))
    try sandbox.write("more", to: "more")
    try sandbox.dv("add", "more").succeed()
    try sandbox.dv("push").succeed()
    let items = try #require(try sandbox.dv("update", "--json").succeed().json["items"] as? [[String: Any]])
    #expect(items.map { $0["state"] as? String } == ["updated", "current"])
    try sandbox.dv("import-url", Sandbox.Argument("\(url)/none")).exit(3)
  }
}
