import DVObject

/// A stage as lines of a `dv.yaml`, two spaces deep.
public struct StageText: Sendable {
  public let lines: [String]

  public init(_ stage: Stage) {
    let base = stage.file.parent
    var lines = ["  \(stage.name):"]
    if let first = stage.commands.first, stage.commands.count == 1 {
      lines.append("    cmd: \(Self.scalar(first))")
    } else {
      lines.append("    cmd:")
      lines += stage.commands.map { "    - \(Self.scalar($0))" }
    }
    if let description = stage.description { lines.append("    desc: \(Self.scalar(description))") }
    if stage.workingDirectory != base { lines.append("    wdir: \(Self.scalar(stage.workingDirectory.relative(to: base)))") }
    func path(_ path: StagePath) -> String { Self.scalar(path.relative(to: stage.workingDirectory)) }
    if !stage.inputs.isEmpty { lines += ["    deps:"] + stage.inputs.map { "    - \(path($0))" } }
    if !stage.parameters.isEmpty {
      lines.append("    params:")
      for selection in stage.parameters {
        let isDefault = selection.file.relative(to: stage.workingDirectory) == ParameterSelection.defaultFile
        if isDefault, !selection.names.isEmpty {
          lines += selection.names.map { "    - \(Self.scalar($0))" }
        } else {
          lines.append("    - \(path(selection.file)):")
          lines += selection.names.map { "      - \(Self.scalar($0))" }
        }
      }
    }
    for (key, role) in [("outs", Output.Role.data), ("metrics", .metric), ("plots", .plot)] {
      let outputs = stage.outputs.filter { $0.role == role }
      guard !outputs.isEmpty else { continue }
      lines.append("    \(key):")
      for output in outputs {
        let flags = [("cache", output.isCached, true), ("persist", output.isPersistent, false), ("push", output.isPushed, true)]
          .filter { $0.1 != $0.2 }
        lines.append("    - \(path(output.path))\(flags.isEmpty ? "" : ":")")
        lines += flags.map { "        \($0.0): \($0.1)" }
      }
    }
    if stage.isFrozen { lines.append("    frozen: true") }
    if stage.isAlwaysChanged { lines.append("    always_changed: true") }
    self.lines = lines
  }

  /// Text as YAML reads it back as the same text; in quotes where it would be read as something else. What would be taken
  /// for a template is escaped.
  static func scalar(_ text: String) -> String {
    let text = text.split(separator: "${", omittingEmptySubsequences: false).joined(separator: "\\${")
    var isPlain = !text.isEmpty && YAMLScalar.value(of: text).string != nil && text != "<<"
    // Digits that no number of 64 bits has are text to us, and a number to others.
    if text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "+") }) { isPlain = false }
    if let first = text.unicodeScalars.first, "-?:,[]{}#&*!|>'\"%@` ".unicodeScalars.contains(first) { isPlain = false }
    if text.hasSuffix(" ") || text.hasSuffix(":") || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
      isPlain = false
    }
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() where index + 1 < bytes.count {
      if byte == UInt8(ascii: ":"), bytes[index + 1] == 0x20 { isPlain = false }
      if byte == 0x20, bytes[index + 1] == UInt8(ascii: "#") { isPlain = false }
    }
    if isPlain { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f {
          let digits = String(scalar.value, radix: 16)
          quoted += "\\x" + (digits.count < 2 ? "0" : "") + digits
        } else {
          quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}
