import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { getCacheRoot, hashContent } from "./cache.ts";
import { runCommand, runOrThrow } from "./command.ts";
import { listBuildArguments, type GoModule, renderGoMod, listGoPackages } from "./module.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** Pure Go only, a garbage collector that trades memory for the time of a compiler, and the installed toolchain. */
const GO_ENV = { CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-buildvcs=false", GOOS: "linux", GOARCH: "amd64" } as const;

/** @returns the environment in which the commands of `module` are built */
function createBuildEnvironment(module: GoModule): Readonly<Record<string, string>> {
  return module.cgo === true ? { ...GO_ENV, CGO_ENABLED: "1" } : GO_ENV;
}

/** setpriv(1) of util-linux: a build whose starter was killed would work on for minutes, for nobody. */
const DIE_WITH_US = ["setpriv", "--pdeathsig", "TERM", "--"];

const download = z.object({ GoMod: z.string(), Dir: z.string().optional() });
const modulePath = z.object({ Path: z.string(), Version: z.string().optional() });
const goMod = z.object({
  Go: z.string(),
  Require: z.array(z.object({ Path: z.string(), Version: z.string() })).nullish(),
  Replace: z.array(z.object({ Old: modulePath, New: modulePath })).nullish(),
});

/** Returns one sentence if Go is missing, otherwise undefined. */
export async function findGoProblem(): Promise<string | undefined> {
  const { exitCode } = await runCommand(["go", "version"]);
  return exitCode === 0
    ? undefined
    : "The go command is missing, and Kubernetes, Calico and Multus must be built here: install Go 1.21 or newer (it fetches the toolchain it needs) and put it on PATH.";
}

/** Root of the module's source in Go's module cache. */
export async function findModuleSource(module: GoModule): Promise<string> {
  const { Dir } = await downloadModule(module);
  if (Dir === undefined) throw new Error(`go mod download gave no directory for ${module.path}@${module.version}`);
  return Dir;
}

/** Changes exactly when what `goBuild` makes of `module` may: its recipe, flags and environment. */
export function createBuildKey(module: GoModule): string {
  return hashContent(module, listBuildArguments(module, ""), createBuildEnvironment(module));
}

/**
 * Builds all commands of `module` into `target`, a directory that appears only when it is whole. One at a time: the
 * caller holds a lock for `target`. What the go command said is kept under the cache's `logs`.
 * @param onProgress gets a short text ("412 of 1980 packages") now and then
 */
export async function buildModule(module: GoModule, target: string, onProgress: (text: string) => void): Promise<void> {
  const logFile = join(getCacheRoot(), "logs", `${basename(target)}.log`);
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = createWriteStream(logFile, { mode: 0o600 });
  try {
    await withWorkDirectory(target, async (work) => {
      const output = join(work, "out");
      await mkdir(output);
      await runBuild(work, output, module, (line) => log.write(`${line}\n`), onProgress);
      await rename(output, target);
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${module.path}@${module.version} could not be built (log: ${logFile}): ${reason}`, { cause });
  } finally {
    log.end();
  }
}

async function runBuild(
  work: string,
  output: string,
  module: GoModule,
  log: (line: string) => void,
  onProgress: (text: string) => void,
): Promise<void> {
  const go = (argv: readonly string[], onLine?: (line: string) => void) =>
    runOrThrow([...DIE_WITH_US, "go", ...argv], {
      cwd: work,
      env: createBuildEnvironment(module),
      onLine: (line) => {
        log(line);
        if (line.startsWith("go: downloading ")) onProgress(line.slice("go: ".length));
        else onLine?.(line);
      },
    });
  const { GoMod } = await downloadModule(module);
  const upstream = goMod.parse(JSON.parse(await go(["mod", "edit", "-json", GoMod])));
  await writeFile(join(work, "go.mod"), renderGoMod(module, upstream));
  // Fetches the modules, too, and its count says how far the build is; packages in Go's cache are not reported.
  const all = (await go(["list", "-mod=mod", "-deps", ...listGoPackages(module)])).trim().split("\n").length;
  const [verb = "build", ...rest] = listBuildArguments(module, output);
  let compiled = 0;
  await go([verb, "-v", ...rest], () => {
    onProgress(`${++compiled} of at most ${all} packages`);
  });
}

async function downloadModule(module: GoModule): Promise<z.infer<typeof download>> {
  const argv = ["go", "mod", "download", "-json", `${module.path}@${module.version}`];
  return download.parse(JSON.parse(await runOrThrow(argv, { env: GO_ENV })));
}
