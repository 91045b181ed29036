/** A Go module of which we want commands, and what its go.mod needs beyond a requirement. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** Packages below the module's path; the command's file is named after the last element (`go build -o DIR/`). */
  readonly packages: readonly string[];
  /** Import paths of commands in other modules, in the versions that this module requires. */
  readonly otherPackages?: readonly string[];
  /** The packages are compiled as test programs (`go test -c`), each named after its package with `.test` appended. */
  readonly test?: true;
  /** `-X` variables: name -> value. Without them the programs report v0.0.0. */
  readonly variables: Readonly<Record<string, string>>;
  /** Which of the module's own replace directives a build from outside must repeat (the go command ignores them). */
  readonly replaces: "none" | "kubernetes-staging" | "own";
  /** Whether the commands need a C compiler (flannel's udp backend does). Absent: they are built without one. */
  readonly cgo?: true;
  /** Replaces on top, old path -> new path and version. They win over the module's own. */
  readonly extraReplaces?: Readonly<Record<string, string>>;
}

/** The part of `go mod edit -json` that is read here. */
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

/** The go.mod of an empty module from which `go build -mod=mod` makes `module`'s commands. */
export function renderGoMod(module: GoModule, upstream: UpstreamGoMod): string {
  const replaces = new Map<string, string>();
  if (module.replaces === "kubernetes-staging") {
    const [, minor = "", patch = ""] = module.version.split(".");
    for (const path of listStagingModules(upstream)) replaces.set(path, `${path} v0.${minor}.${patch}`);
  }
  if (module.replaces === "own")
    for (const { Old, New } of upstream.Replace ?? [])
      if (New.Version !== undefined)
        // a replace by a directory has none
        replaces.set(Old.Version === undefined ? Old.Path : `${Old.Path} ${Old.Version}`, `${New.Path} ${New.Version}`);
  for (const [old, replacement] of Object.entries(module.extraReplaces ?? {})) replaces.set(old, replacement);

  const lines = [...replaces].map(([old, replacement]) => `\t${old} => ${replacement}`).sort();
  const block = lines.length === 0 ? "" : `\nreplace (\n${lines.join("\n")}\n)\n`;
  return `module build\n\ngo ${upstream.Go}\n\nrequire ${module.path} ${module.version}\n${block}`;
}

/** Kubernetes' staging modules: replaced by a directory up to v1.30, required at exactly v0.0.0 in every version. */
function listStagingModules(upstream: UpstreamGoMod): Set<string> {
  return new Set([
    ...(upstream.Replace ?? []).filter((r) => r.New.Path.startsWith("./staging/")).map((r) => r.Old.Path),
    ...(upstream.Require ?? []).filter((r) => r.Version === "v0.0.0").map((r) => r.Path),
  ]);
}

/** Arguments of the one `go build` (or `go test -c`) that makes all commands of a module. */
export function listBuildArguments(module: GoModule, outputDirectory: string): readonly string[] {
  const variables = Object.entries(module.variables).flatMap(([name, value]) => ["-X", `${name}=${value}`]);
  return [
    ...(module.test === true ? ["test", "-c"] : ["build"]),
    "-mod=mod",
    "-trimpath",
    "-gcflags=all=-dwarf=false", // a fifth of the compile time, and nobody debugs these
    "-ldflags",
    ["-s", "-w", ...variables].join(" "),
    "-o",
    `${outputDirectory}/`,
    ...listGoPackages(module),
  ];
}

/** Import paths of the commands. */
export function listGoPackages({ path, packages, otherPackages = [] }: GoModule): readonly string[] {
  return [...packages.map((below) => (below === "" ? path : `${path}/${below}`)), ...otherPackages];
}
