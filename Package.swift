// swift-tools-version: 6.2
import PackageDescription

/// What every target of dv is compiled with: Swift 6, no warning left, no unsafe call unmarked, imports private unless
/// said otherwise.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The settings of a source target. Strict memory safety stays out of tests, where macro expansions trip it.
let source = strict + [.strictMemorySafety()]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
let nio = ["NIOCore", "NIOPosix", "NIOHTTP1"].map { Target.Dependency.product(name: $0, package: "swift-nio") }
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let http = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "dv",
  products: [.executable(name: "dv", targets: ["dv"])],
  dependencies: [
    // Digests: BoringSSL's SHA-256, which uses the processor's SHA instructions.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // File paths that are bytes, and errno as an error.
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // YAML: libyaml's parser, with the line of every node.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // HTTP for remotes in buckets and on web servers: connection pools, TLS, proxies.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.34.0"),
  ],
  targets: [
    // Floor 0: system libraries.
    .systemLibrary(name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(name: "CSHA256"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    // Floor 1: vocabulary, file system, one wall around each C library.
    .target(name: "DVObject", dependencies: ["CSHA256", crypto], swiftSettings: source),
    .target(name: "DVFile", dependencies: ["CLinux", system], swiftSettings: source),
    .target(name: "DVZlib", dependencies: ["CZlib"], swiftSettings: source),
    .target(name: "DVZstd", dependencies: ["CZstd"], swiftSettings: source),
    .target(name: "DVGit", dependencies: ["CGit2", system], swiftSettings: source),

    .target(name: "DVSQLite", dependencies: ["CSQLite", system], swiftSettings: source),

    // Floor 2: bytes under keys.
    .target(name: "DVBackend", dependencies: ["DVFile", "DVObject", system], swiftSettings: source),

    // Floor 2: stages and plans.
    .target(name: "DVPipeline", dependencies: ["DVObject", yaml], swiftSettings: source),

    // Floor 2: what is in files of data and models.
    .target(name: "DVContent", dependencies: ["DVObject", "DVZlib"], swiftSettings: source),

    // Floor 3: objects on a backend, a backend on S3.
    .target(
      name: "DVStore", dependencies: ["DVBackend", "DVFile", "DVObject", "DVZlib", "DVZstd", system],
      swiftSettings: source),
    .target(
      name: "DVS3", dependencies: ["DVBackend", "DVFile", "DVObject", system, crypto, http, tls] + nio,
      swiftSettings: source),

    // Floor 4: the working tree.
    .target(
      name: "DVWorkspace", dependencies: ["DVStore", "DVFile", "DVObject", system], swiftSettings: source),

    // Floor 4: records.
    .target(name: "DVLineage", dependencies: ["DVPipeline", "DVFile", "DVObject", system, crypto],
      swiftSettings: source),

    // Floor 5: the operations.
    .target(
      name: "DVRepository",
      dependencies: [
        "DVWorkspace", "DVLineage", "DVStore", "DVS3", "DVBackend", "DVContent", "DVPipeline", "DVGit", "DVSQLite", "DVFile",
        "DVObject", system,
      ],
      swiftSettings: source),

    // Floor 7: the program.
    .executableTarget(
      name: "dv",
      dependencies: [
        "DVRepository", "DVWorkspace", "DVLineage", "DVStore", "DVS3", "DVBackend", "DVContent", "DVPipeline", "DVGit", "DVSQLite",
        "DVFile", "DVObject", system, arguments,
      ],
      swiftSettings: source),

    // Tests.
    .target(
      name: "DVTesting", dependencies: ["DVBackend", "DVFile", "DVObject", system], path: "Tests/DVTesting",
      swiftSettings: strict),
    .testTarget(name: "DVObjectTests", dependencies: ["DVObject", "DVTesting", crypto], swiftSettings: strict),
    .testTarget(name: "DVPipelineTests", dependencies: ["DVPipeline", "DVObject", "DVTesting"], swiftSettings: strict),
    .testTarget(name: "DVContentTests", dependencies: ["DVContent", "DVObject", "DVZlib", "DVTesting"], swiftSettings: strict),
    .testTarget(
      name: "DVLineageTests", dependencies: ["DVLineage", "DVPipeline", "DVFile", "DVObject", "DVTesting", system, crypto],
      swiftSettings: strict),
    .testTarget(name: "DVFileTests", dependencies: ["DVFile", "DVTesting", system], swiftSettings: strict),
    .testTarget(name: "DVCodecTests", dependencies: ["DVZlib", "DVZstd", "DVTesting"], swiftSettings: strict),
    .testTarget(name: "DVGitTests", dependencies: ["DVGit", "DVTesting", system], swiftSettings: strict),
    .testTarget(
      name: "DVBackendTests", dependencies: ["DVBackend", "DVFile", "DVObject", "DVTesting", system],
      swiftSettings: strict),
    .testTarget(
      name: "DVStoreTests", dependencies: ["DVStore", "DVBackend", "DVFile", "DVObject", "DVZlib", "DVTesting", system],
      swiftSettings: strict),
    .testTarget(
      name: "DVS3Tests", dependencies: ["DVS3", "DVBackend", "DVFile", "DVObject", "DVTesting", system],
      swiftSettings: strict),
    .testTarget(
      name: "DVWorkspaceTests", dependencies: ["DVWorkspace", "DVStore", "DVBackend", "DVFile", "DVObject", "DVTesting", system],
      swiftSettings: strict),
    .testTarget(
      name: "DVRepositoryTests",
      dependencies: [
        "DVRepository", "DVWorkspace", "DVLineage", "DVStore", "DVBackend", "DVGit", "DVFile", "DVObject", "DVTesting", system,
      ],
      swiftSettings: strict),
    .testTarget(name: "DVProgramTests", dependencies: ["dv", "DVRepository", "DVBackend"], swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["DVTesting", "DVFile", "DVObject", system], swiftSettings: strict),
  ]
)
