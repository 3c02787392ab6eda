/// Names of files and variables that are likely to hold a secret. Such files are never captured, nor such variables.
enum SecretName {
  /// Whether a file of this name is likely to hold a secret: `.env` and its kin, private keys, credentials.
  static func isFile(_ name: [UInt8]) -> Bool {
    let text = String(decoding: name, as: UTF8.self).lowercased()
    if text.hasPrefix(".env") || [".netrc", ".pypirc", ".pgpass", ".htpasswd"].contains(text) { return true }
    if [".pem", ".p12", ".pfx", ".jks", ".keystore"].contains(where: text.hasSuffix) { return true }
    // `id_rsa` and the like; `id_mapping.py` is code.
    return text.hasPrefix("id_") && !text.contains(".")
  }

  /// Whether the value of a variable of this name may not be written down.
  static func isVariable(_ name: String) -> Bool {
    let text = name.uppercased()
    return ["TOKEN", "SECRET", "PASSW", "CREDENTIAL", "PRIVATE", "APIKEY", "API_KEY", "ACCESS_KEY", "AUTH", "COOKIE"]
      .contains { text.contains($0) }
  }
}
