import DVGit
import DVLineage
import DVObject

/// What keys that the user trusts have signed about a version, in tags.
///
/// What other keys signed, or what speaks of another content, commit or tag, counts for nothing; the checks say how many there were.
struct SignedTags {
  private struct Signed {
    let attestation: Attestation
    let key: TrustStore.Key
    let tag: String
  }

  private var found: [Signed] = []
  /// Tags that count for nothing, and why.
  private var passedOver: [String] = []

  init(of record: ModelRecord, _ version: ModelRegistry.Event, in repository: Repository) throws {
    let store = try repository.trustStore()
    for kind in Attestation.Kind.allCases {
      let prefix = Attestation.tagPrefix(kind, record.model, record.release)
      for tag in try repository.git.tags(messageLimit: TagMessage.maximumByteCount, where: { $0.hasPrefix(prefix) }) {
        do throws(SigningError) {
          let bundle = try Attestation.bundle(in: tag.message ?? "")
          guard let key = store.keys.first(where: { $0.key.hint == bundle.hint }) else {
            throw SigningError(.refused, "its key \((bundle.hint ?? "").prefix(12)) is not in the trust store")
          }
          let attestation = try Attestation(bundle.statement(verifiedBy: key.key))
          guard attestation.kind == kind, attestation.speaks(of: record, tag: version.tag.object) else {
            throw SigningError(.refused, "it is of another version, content or tag")
          }
          found.append(Signed(attestation: attestation, key: key, tag: tag.name))
        } catch {
          passedOver.append("'\(tag.name)': \(error.message)")
        }
      }
    }
  }

  private var remarks: String { passedOver.isEmpty ? "" : "; passed over: " + passedOver.prefix(5).joined(separator: ", ") }

  func signature(by keys: [ModelPolicy.KeyPattern]) -> PolicyCheck {
    let wanted = keys.map(\.description).joined(separator: " or ")
    let signed = found.first { $0.attestation.kind == .signature && $0.key.matches(keys) }
    guard let signed else {
      return PolicyCheck("signature", false, "No key of \(wanted) that is trusted here has signed the version\(remarks): 'dv sign --tag' does.")
    }
    var inputs = JSONObject()
    inputs["key"] = .string(signed.key.fingerprint)
    inputs["tag"] = .string(signed.tag)
    return PolicyCheck("signature", true, "by \(signed.key.person), \(wanted)", inputs)
  }

  /// Counts people, not keys. Who registered, promotes or signed the version does not count, whichever key was used.
  func approvals(_ needed: ModelPolicy.Approvals, for alias: String, notBy owners: [String]) -> PolicyCheck {
    let own = Set(owners.map { PersonName($0) })
    let ownKeys = Set(found.filter { $0.attestation.kind == .signature }.map(\.key.fingerprint))
    var counted: [PersonName: Signed] = [:]
    var refused: [String] = []
    for signed in found where signed.attestation.kind == .approval {
      guard signed.attestation.alias == nil || signed.attestation.alias == alias else { continue }
      let person = PersonName(signed.key.person)
      guard needed.keys.map({ signed.key.matches($0) }) ?? true else {
        refused.append("\(signed.key.person) has not the role")
        continue
      }
      let claimed = signed.attestation.user.map { PersonName($0) }
      guard !own.contains(person), claimed.map({ !own.contains($0) }) ?? true, !ownKeys.contains(signed.key.fingerprint) else {
        refused.append("\(signed.key.person) approved of what is his own")
        continue
      }
      counted[person] = counted[person] ?? signed
    }
    let people = counted.values.sorted { $0.tag < $1.tag }
    var inputs = JSONObject()
    inputs["needed"] = .integer(Int64(needed.count))
    inputs["approvals"] = .array(
      people.map { signed in
        var json = JSONObject()
        json["person"] = .string(signed.key.person)
        json["key"] = .string(signed.key.fingerprint)
        json["tag"] = .string(signed.tag)
        return .object(json)
      })
    var finding = "\(people.count) of \(needed.count)"
    if let keys = needed.keys { finding += " of " + keys.map(\.description).joined(separator: " or ") }
    if !people.isEmpty { finding += " (" + people.map(\.key.person).joined(separator: ", ") + ")" }
    if !refused.isEmpty { finding += "; not counted: " + refused.joined(separator: ", ") }
    return PolicyCheck("approvals", people.count >= needed.count, finding + remarks, inputs)
  }
}
