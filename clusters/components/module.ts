/** Commands to build from a Go module, and the settings of the build. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** Paths of the commands' packages, relative to the module's path. `go build -o DIR/` names a command after the last element. */
  readonly packages: readonly string[];
  /** Import paths of commands in other modules, in the versions that this module requires. */
  readonly otherPackages?: readonly string[];
  /** Compiles the packages as test programs (`go test -c`). Each is named after its package with `.test` appended. */
  readonly test?: true;
  /** Values of `-X` variables by name. Without them, the programs report v0.0.0. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Replace directives of the module that the build must repeat, because the go command ignores those of dependencies: `own`: all
   * of them; `kubernetes-staging`: the staging modules, in the version of the module.
   */
  readonly replaces: "none" | "kubernetes-staging" | "own";
  /** Whether the commands need a C compiler, like flannel's udp backend. */
  readonly cgo?: true;
  /** Additional replacements: new path and version by old path. They take precedence over the module's. */
  readonly extraReplaces?: Readonly<Record<string, string>>;
}

/** The used part of the output of `go mod edit -json`. */
interface UpstreamGoMod {
  readonly Go: string;
  readonly Require?: readonly { readonly Path: string; readonly Version: string }[] | null | undefined;
  readonly Replace?:
    | readonly {
        readonly Old: { readonly Path: string; readonly Version?: string | undefined };
        readonly New: { readonly Path: string; readonly Version?: string | undefined };
      }[]
    | null
    | undefined;
}

/**
 * Returns the go.mod of an otherwise empty module, in which `go build -mod=mod` builds the commands of another module.
 *
 * @param upstream go.mod of the module with the commands
 */
export function renderGoMod(module: GoModule, upstream: UpstreamGoMod): string {
  const replaces = new Map<string, string>();
  if (module.replaces === "kubernetes-staging") {
    const [, minor = "", patch = ""] = module.version.split(".");
    for (const path of listStagingModules(upstream)) replaces.set(path, `${path} v0.${minor}.${patch}`);
  }
  if (module.replaces === "own")
    for (const { Old, New } of upstream.Replace ?? [])
      if (New.Version !== undefined)
        // a replacement by a directory has no version
        replaces.set(Old.Version === undefined ? Old.Path : `${Old.Path} ${Old.Version}`, `${New.Path} ${New.Version}`);
  for (const [old, replacement] of Object.entries(module.extraReplaces ?? {})) replaces.set(old, replacement);

  const lines = [...replaces].map(([old, replacement]) => `\t${old} => ${replacement}`).sort();
  const block = lines.length === 0 ? "" : `\nreplace (\n${lines.join("\n")}\n)\n`;
  return `module build\n\ngo ${upstream.Go}\n\nrequire ${module.path} ${module.version}\n${block}`;
}

/** Lists Kubernetes' staging modules: up to v1.30 a directory replaces them, and every version requires them at v0.0.0. */
function listStagingModules(upstream: UpstreamGoMod): Set<string> {
  return new Set([
    ...(upstream.Replace ?? []).filter(({ New }) => New.Path.startsWith("./staging/")).map(({ Old }) => Old.Path),
    ...(upstream.Require ?? []).filter(({ Version }) => Version === "v0.0.0").map(({ Path }) => Path),
  ]);
}

/** Returns the arguments of the `go build` (or `go test -c`) for all commands of a module. */
export function listBuildArguments(module: GoModule, outputDirectory: string): readonly string[] {
  const variables = Object.entries(module.variables).flatMap(([name, value]) => ["-X", `${name}=${value}`]);
  return [
    ...(module.test === true ? ["test", "-c", "-vet=off"] : ["build"]), // vet takes minutes for its dependencies
    "-mod=mod",
    "-trimpath",
    "-gcflags=all=-dwarf=false", // saves a fifth of the compile time
    "-ldflags",
    ["-s", "-w", ...variables].join(" "),
    "-o",
    `${outputDirectory}/`,
    ...listGoPackages(module),
  ];
}

/** Returns the import paths of the commands. */
export function listGoPackages({ path, packages, otherPackages = [] }: GoModule): readonly string[] {
  return [...packages.map((name) => (name === "" ? path : `${path}/${name}`)), ...otherPackages];
}
