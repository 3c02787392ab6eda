import DVFile
import DVObject
import SystemPackage

/// The surroundings of a run: system, processor, graphics, interpreter, and variables that are known to matter.
struct EnvironmentReport {
  /// Variables that change what a training makes, and hold no secret.
  static let knownVariables = [
    "BLIS_NUM_THREADS", "CONDA_DEFAULT_ENV", "CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "DV_SEED", "LANG", "LC_ALL",
    "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED",
    "ROCR_VISIBLE_DEVICES", "TF_DETERMINISTIC_OPS", "TZ", "VECLIB_MAXIMUM_THREADS",
  ]

  let json: JSONValue

  /// Looks around.
  ///
  /// - Parameters:
  ///   - variables: the environment of the command.
  ///   - names: further variables to write down, by the configuration and the stage.
  init(variables: [String: String], names: [String], interpreter: InterpreterProbe.Answer?, shell: String) {
    var json = JSONObject()
    json["type"] = "environment"
    json["version"] = 1
    json["os"] = Self.system()
    json["kernel"] = Self.line("/proc/sys/kernel/osrelease").map { .string($0) }
    json["arch"] = .string(Self.architecture)
    json["cpu"] = Self.processor()
    if let memory = Self.memory() { json["memory"] = .integer(memory) }
    json["gpu"] = Self.graphics() ?? Self.askedGraphics(variables)
    json["container"] = Self.container(variables).map { .string($0) }
    json["shell"] = .string(shell)
    json["python"] = interpreter?.json
    var values = JSONObject()
    for name in (Self.knownVariables + names).sorted() where !SecretName.isVariable(name) {
      if let value = variables[name], value.utf8.count <= 4096 { values[name] = .string(value) }
    }
    json["variables"] = .object(values)
    self.json = .object(json)
  }

  private static func line(_ path: FilePath) -> String? {
    guard let bytes = try? path.readKernelFile(limit: 1 << 20) else { return nil }
    return bytes.split(separator: 0x0a).first.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func lines(_ path: FilePath, limit: Int = 4 << 20) -> [Substring] {
    guard let bytes = try? path.readKernelFile(limit: limit) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      "other"
    #endif
  }

  private static func system() -> JSONValue {
    var system = JSONObject()
    for line in lines("/etc/os-release") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, ["ID", "VERSION_ID", "PRETTY_NAME"].contains(parts[0]) else { continue }
      let value = parts[1].hasPrefix("\"") ? parts[1].dropFirst().dropLast() : parts[1]
      system[parts[0].lowercased()] = .string(String(value))
    }
    return .object(system)
  }

  private static func processor() -> JSONValue {
    var processor = JSONObject()
    processor["cores"] = .integer(Int64(Machine.coreCount))
    for line in lines("/proc/cpuinfo") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = parts[0].split(whereSeparator: \.isWhitespace).joined(separator: " ")
      let value = parts[1].split(separator: " ").joined(separator: " ")
      if name == "model name", processor["model"] == nil { processor["model"] = .string(value) }
      if name == "flags" || name == "Features", processor["flags"] == nil { processor["flags"] = .string(value) }
    }
    return .object(processor)
  }

  private static func memory() -> Int64? {
    guard let line = lines("/proc/meminfo").first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
    return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 << 10 }
  }

  /// What the driver of NVIDIA's cards says of itself and of them; nothing without one.
  private static func graphics() -> JSONValue? {
    guard let driver = line("/proc/driver/nvidia/version") else { return nil }
    var graphics = JSONObject()
    graphics["driver"] = .string(driver)
    var models: [JSONValue] = []
    let directory = FilePath("/proc/driver/nvidia/gpus")
    if let listing = try? directory.listDirectory() {
      for index in listing.indices {
        let card = lines(directory.appending(name: listing.name(at: index)).appending("information"))
        if let model = card.first(where: { $0.hasPrefix("Model:") }) {
          models.append(.string(model.dropFirst("Model:".count).split(whereSeparator: \.isWhitespace).joined(separator: " ")))
        }
      }
    }
    graphics["models"] = .array(models)
    return .object(graphics)
  }

  /// What `nvidia-smi` says where the driver shows itself to nobody else, as under WSL; nothing without that program.
  private static func askedGraphics(_ variables: [String: String]) -> JSONValue? {
    let places = (variables["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)).appending("nvidia-smi") }
    guard let program = places.first(where: { (try? $0.fileStatFollowingLinks())?.kind == .regular }) else { return nil }
    // A driver that hangs must not hold up the run.
    let words = ["timeout", "10", program.string, "--query-gpu=driver_version,name", "--format=csv,noheader"]
    guard let printed = try? ProgramOutput.of(words, limit: 1 << 16) else { return nil }
    var graphics = JSONObject()
    var models: [JSONValue] = []
    for line in String(decoding: printed, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: ",", maxSplits: 1).map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      guard parts.count == 2, !parts[1].isEmpty else { continue }
      graphics["driver"] = .string(parts[0])
      models.append(.string(parts[1]))
    }
    guard !models.isEmpty else { return nil }
    graphics["models"] = .array(models)
    return .object(graphics)
  }

  /// The image of the container, if whoever started it says so; that there is one, if nobody does.
  private static func container(_ variables: [String: String]) -> String? {
    if let digest = variables["DV_IMAGE_DIGEST"] { return digest }
    let marks: [FilePath] = ["/.dockerenv", "/run/.containerenv"]
    return marks.contains { (try? $0.fileStat()) != nil } ? "unknown" : nil
  }
}
