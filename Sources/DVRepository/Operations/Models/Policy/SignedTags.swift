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

  private let store: TrustStore
  private var found: [Signed] = []
  /// Tags that count for nothing, and why.
  private var passedOver: [String] = []

  init(of record: ModelRecord, _ version: ModelRegistry.Event, in repository: Repository) throws {
    store = try repository.trustStore()
    for signed in try repository.attestations(of: record, version) {
      do throws(SigningError) {
        let bundle = try signed.bundle.get()
        guard let key = store.keys.first(where: { $0.key.hint == bundle.hint }) else {
          throw SigningError(.refused, "its key \((bundle.hint ?? "").prefix(12)) is not in the trust store")
        }
        found.append(Signed(attestation: try signed.attestation(verifiedBy: key.key), key: key, tag: signed.tag))
      } catch {
        passedOver.append("'\(signed.tag)': \(error.message)")
      }
    }
  }

  /// What to say if no key that is trusted here could ever fulfil a rule; empty if one could.
  private func absence(of keys: [ModelPolicy.KeyPattern]) -> String {
    store.keys.contains { $0.matches(keys) } ? "" : "; the trust store has no key of \(Self.names(keys)): nobody here can be believed"
  }

  private static func names(_ keys: [ModelPolicy.KeyPattern]) -> String { keys.map(\.description).joined(separator: " or ") }

  private var remarks: String { passedOver.isEmpty ? "" : "; passed over: " + passedOver.prefix(5).joined(separator: ", ") }

  func signature(by keys: [ModelPolicy.KeyPattern]) -> PolicyCheck {
    let wanted = Self.names(keys)
    let signed = found.first { $0.attestation.kind == .signature && $0.key.matches(keys) }
    guard let signed else {
      return PolicyCheck("signature", false, "No key of \(wanted) that is trusted here has signed the version: 'dv sign --tag' does\(absence(of: keys))\(remarks)")
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
    for signed in found where signed.attestation.kind == .approval && signed.attestation.concerns(alias) {
      let person = PersonName(signed.key.person)
      guard needed.keys.map({ signed.key.matches($0) }) ?? true else {
        refused.append("\(signed.key.person) has not the role")
        continue
      }
      if let withdrawal = withdrawal(of: signed, for: alias) {
        let why = withdrawal.attestation.reason.map { ": \($0)" } ?? ""
        refused.append("\(signed.key.person) took it back on \(CalendarDay.text(milliseconds: withdrawal.attestation.time))\(why)")
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
    if let keys = needed.keys { finding += " of " + Self.names(keys) }
    if !people.isEmpty { finding += " (" + people.map(\.key.person).joined(separator: ", ") + ")" }
    if people.count < needed.count { finding += ": 'dv model approve' by somebody else adds one" }
    if !refused.isEmpty { finding += "; not counted: " + refused.joined(separator: ", ") }
    return PolicyCheck("approvals", people.count >= needed.count, finding + (needed.keys.map { absence(of: $0) } ?? "") + remarks, inputs)
  }

  /// What the same person signed later, with whichever key, to take an approval back.
  ///
  /// The signed times decide: a bundle that somebody copies into another tag is no newer for that.
  private func withdrawal(of approval: Signed, for alias: String) -> Signed? {
    found.first { other in
      other.attestation.kind == .withdrawal && other.attestation.concerns(alias) && other.attestation.time >= approval.attestation.time
        && (other.key.fingerprint == approval.key.fingerprint || PersonName(other.key.person) == PersonName(approval.key.person))
    }
  }
}
