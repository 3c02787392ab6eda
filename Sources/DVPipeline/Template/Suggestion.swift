/// A name close to one that does not exist: ` Did you mean 'train'?`, or nothing.
struct Suggestion: CustomStringConvertible {
  let description: String

  init(for name: String, among known: [String]) {
    let best = known.prefix(1000).map { ($0, Self.distance(name, $0)) }.min { $0.1 < $1.1 }
    if let best, best.1 <= max(1, name.count / 3) { description = " Did you mean '\(best.0)'?" } else { description = "" }
  }

  /// How many letters must be changed, put in, left out or swapped with a neighbour to make one of the other.
  private static func distance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one.prefix(80)), Array(other.prefix(80)))
    var (before, previous, current) = ([Int](), Array(0...b.count), [Int]())
    for i in a.indices {
      current = [i + 1]
      for j in b.indices {
        var best = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
        current.append(best)
      }
      (before, previous) = (previous, current)
    }
    return previous[b.count]
  }
}
