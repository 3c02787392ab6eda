import SystemPackage

/// Runs `body` again while it is refused because another process holds the lock of `file`, up to 3 seconds.
///
/// git holds these locks for milliseconds; one that stays was left behind by a process that died.
func waitForLock<Result>(_ file: FilePath, _ body: () throws(GitError) -> Result) throws(GitError) -> Result {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(3)
  var pause = Duration.milliseconds(1)
  while true {
    do throws(GitError) {
      return try body()
    } catch {
      guard error.code == .busy else { throw error }
      guard clock.now < deadline else {
        throw GitError(
          .busy,
          "Cannot write '\(file)': another process holds '\(file).lock'. If no git or dv is running here, that file was "
            + "left behind by one that died; remove it then.")
      }
    }
    sleep(for: pause)
    pause = min(pause * 2, .milliseconds(50))
  }
}
