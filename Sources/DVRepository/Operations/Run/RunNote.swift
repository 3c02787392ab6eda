public import DVObject
public import DVPipeline
public import DVWorkspace
public import SystemPackage

/// What happens while stages are run, one fact at a time.
public enum RunNote: Sendable {
  /// With what of the surroundings is likely to matter and otherwise here than at the run that the decision names.
  case decided(stage: String, StageDecision, [EnvironmentDifference])
  case started(stage: String?, command: String)
  /// That a run away from home starts is recorded, in a bundle or on a remote, in case that dv is killed.
  case startedAway(ObjectID, bundle: FilePath?)
  case finished(FinishedRun)
  /// Something was in the way of an output; its bytes are in the store.
  case kept(path: TreePath, oid: ObjectID)
  /// Files that look like secrets and were left out of the code's snapshot.
  case leftOut([TreePath])
  /// Data that a stage reads was not checked out, and is now.
  case broughtIn(stage: String, [TreePath])
  /// Environments of the user's working tree, which git does not version, that an isolated one is linked to.
  case borrowed([TreePath])
  case restored(stage: String, record: ObjectID)
  /// What is restored was made by a run that is known from a remote alone.
  case foreign(stage: String, record: ObjectID, author: String?)
  /// The stage is not carried out because one that it needs failed.
  case skipped(stage: String, because: String)
  case warning(String)
}
