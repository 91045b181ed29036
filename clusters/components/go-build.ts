import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { getCacheRoot, hashContent } from "./cache.ts";
import { runCommand, runOrThrow } from "./run-command.ts";
import { listBuildArguments, type GoModule, renderGoMod, listGoPackages } from "./module.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** Variables of a build of pure Go for Linux on amd64, with fewer garbage collections of the compiler. */
const GO_ENV = { CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-buildvcs=false", GOOS: "linux", GOARCH: "amd64" } as const;

/** Returns the variables of a module's build. */
function createBuildEnvironment(module: GoModule): Readonly<Record<string, string>> {
  return module.cgo === true ? { ...GO_ENV, CGO_ENABLED: "1" } : GO_ENV;
}

/** Prefix of a command that must end with this process (setpriv(1) of util-linux): a build would continue for minutes. */
const END_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM", "--"];

const download = z.object({ GoMod: z.string(), Dir: z.string().optional() });
const modulePath = z.object({ Path: z.string(), Version: z.string().optional() });
const goMod = z.object({
  Go: z.string(),
  Require: z.array(z.object({ Path: z.string(), Version: z.string() })).nullish(),
  Replace: z.array(z.object({ Old: modulePath, New: modulePath })).nullish(),
});

/** Returns the problem and its remedy if Go is missing; undefined if it is installed. */
export async function findGoProblem(): Promise<string | undefined> {
  const { exitCode } = await runCommand(["go", "version"]);
  return exitCode === 0
    ? undefined
    : "The go command is missing, and Kubernetes, Calico and Multus must be built: install Go 1.21 or newer (it downloads the toolchain that it needs) and put it on PATH.";
}

/** Returns the directory of a module's source in Go's module cache. */
export async function findModuleSource(module: GoModule): Promise<string> {
  const { Dir } = await downloadModule(module);
  if (Dir === undefined) throw new Error(`go mod download returned no directory for ${module.path}@${module.version}`);
  return Dir;
}

/** Returns a key that depends on the module, flags and variables of a build. */
export function createBuildKey(module: GoModule): string {
  return hashContent(module, listBuildArguments(module, ""), createBuildEnvironment(module));
}

/**
 * Builds all commands of a module into the directory `target`, which appears only when it is complete. The caller holds a lock
 * for `target`. The output of the go command is in `logs` of the cache.
 *
 * @param onProgress called with a short text, like "412 of 1980 packages"
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
    throw new Error(`cannot build ${module.path}@${module.version} (log: ${logFile}): ${getErrorMessage(cause)}`, {
      cause,
    });
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
    runOrThrow([...END_WITH_PARENT, "go", ...argv], {
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
  // Also downloads the modules. The number is an upper bound: packages in Go's cache are not reported by the build.
  const packageCount = (await go(["list", "-mod=mod", "-deps", ...listGoPackages(module)])).trim().split("\n").length;
  const [verb = "build", ...buildArguments] = listBuildArguments(module, output);
  let compiled = 0;
  await go([verb, "-v", ...buildArguments], () => {
    onProgress(`${++compiled} of at most ${packageCount} packages`);
  });
}

async function downloadModule(module: GoModule): Promise<z.infer<typeof download>> {
  const argv = ["go", "mod", "download", "-json", `${module.path}@${module.version}`];
  return download.parse(JSON.parse(await runOrThrow(argv, { env: GO_ENV })));
}
