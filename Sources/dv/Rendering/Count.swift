/// A number of things with its digits in groups: `100,000`.
struct Count: CustomStringConvertible {
  let number: UInt64

  init(_ number: UInt64) {
    self.number = number
  }

  var description: String {
    var text = ""
    let digits = "\(number)"
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Returns the number with its noun: `1 file`, `2 files`, and `plural` where adding an s is wrong.
  func of(_ noun: String, plural: String? = nil) -> String {
    "\(self) \(number == 1 ? noun : plural ?? noun + "s")"
  }
}
