import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVSQLite
import DVStore
import DVWorkspace

// What each module's failures mean to the program that called dv. Most messages say themselves what to do next.

extension ObjectFormatError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode {
    switch code {
    case .conflicted: .conflict
    case .unsupported: .usage
    case .malformed, .damaged, .tooLarge, .overflow, .name, .order: .corrupt
    }
  }
}

extension SigningError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode { code == .refused ? .no : .usage }
}

extension FileError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode {
    switch code {
    case .corrupt: .corrupt
    case .busy: .busy
    default: .usage
    }
  }
}

extension BackendError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode {
    switch code {
    case .corrupt: .corrupt
    case .denied, .unreachable, .notFound: .unreachable
    case .noSpace, .invalid: .usage
    }
  }
}

extension StoreError: ReportedError {
  var remedy: String? {
    switch code {
    case .missing: "'dv pull' fetches what a remote has."
    case .corrupt: "'dv fsck' finds all that is damaged, 'dv repair' replaces it from a remote."
    default: nil
    }
  }

  var exitCode: ExitCode {
    switch code {
    case .missing, .absent: .missing
    case .corrupt: .corrupt
    case .unreachable, .denied: .unreachable
    case .busy: .busy
    case .noSpace, .format, .changed, .other: .usage
    }
  }
}

extension WorkspaceError: ReportedError {
  var remedy: String? {
    if let cause = cause as? StoreError { return cause.remedy }
    if cause is ErasedContent { return UndeliveredData.erasedRemedy }
    return switch code {
    case .missing: "'dv pull' fetches what a remote has."
    case .interrupted: "Run the same command again: it goes on from where it stopped."
    default: nil
    }
  }

  var exitCode: ExitCode {
    switch code {
    case .conflict, .conflicted: .conflict
    case .missing: .missing
    case .corrupt, .pointer: .corrupt
    case .interrupted: .interrupted
    // The store's own failure knows more.
    case .store: (cause as? StoreError)?.exitCode ?? .usage
    case .unsupported, .changed, .notFound, .input, .denied, .noSpace, .collision, .io: .usage
    }
  }
}

extension GitError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode {
    switch code {
    case .busy: .busy
    case .corrupt: .corrupt
    case .notRepository, .notFound, .ambiguous, .unsupported, .invalid, .unowned, .other: .usage
    }
  }
}

extension PipelineError: ReportedError {
  var exitCode: ExitCode { .usage }
}

extension RecordError: ReportedError {
  var remedy: String? { nil }

  var exitCode: ExitCode {
    switch code {
    case .altered, .malformed: .corrupt
    case .tooLarge, .file: .usage
    }
  }
}

extension RepositoryError: ReportedError {
  var exitCode: ExitCode {
    switch code {
    case .usage: .usage
    case .missing: .missing
    case .corrupt: .corrupt
    case .unreachable: .unreachable
    case .busy: .busy
    case .conflict: .conflict
    }
  }
}

extension SQLiteError: ReportedError {
  var remedy: String? { "The index of the lineage, 'lineage.sqlite' in git's directory 'dv', can be deleted at any time: it is made anew." }

  var exitCode: ExitCode { code == .busy ? .busy : .usage }
}
