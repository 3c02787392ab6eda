/// Which of the processes of one job this is: of those that do the same together, the first records the run.
public struct ProcessRank: Hashable, Sendable {
  /// The variables by which launchers number processes, in the order in which they are asked: dv's own, torchrun's, those of Open MPI,
  /// PMIx, MPICH and Intel MPI, MVAPICH, Cray PALS, Flux and LSF, and Slurm's.
  public static let variables = [
    "DV_RANK", "RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "PALS_RANKID", "FLUX_TASK_RANK",
    "JSM_NAMESPACE_RANK", "SLURM_PROCID",
  ]

  /// From 0 on.
  public let number: Int
  /// The variable that says so.
  public let variable: String

  /// Finds out; `nil` if no launcher numbered this process.
  public init?(_ value: (String) -> String?) {
    for name in Self.variables {
      guard let text = value(name), let number = Int(text), number >= 0 else { continue }
      self.number = number
      variable = name
      return
    }
    return nil
  }

  /// Whether this process is the one that records.
  public var records: Bool { number == 0 }
}
