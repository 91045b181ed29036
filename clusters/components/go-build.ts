import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { run, runOrThrow } from "./command.ts";
import { goBuildArguments, type GoModule, goModFor } from "./module.ts";

/** Pure Go only, a garbage collector that trades memory for the time of a compiler, and the toolchain that is there. */
const GO_ENV = { CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-buildvcs=false", GOOS: "linux", GOARCH: "amd64" } as const;

const download = z.object({ GoMod: z.string(), Dir: z.string().optional() });
const modulePath = z.object({ Path: z.string(), Version: z.string().optional() });
const goMod = z.object({
  Go: z.string(),
  Require: z.array(z.object({ Path: z.string(), Version: z.string() })).nullish(),
  Replace: z.array(z.object({ Old: modulePath, New: modulePath })).nullish(),
});

/** One sentence where there is no Go, else undefined. */
export async function goProblem(): Promise<string | undefined> {
  const { exitCode } = await run(["go", "version"]);
  return exitCode === 0
    ? undefined
    : "The go command is missing, and Kubernetes, Calico and Multus must be built here: install Go 1.21 or newer (it fetches the toolchain it needs) and put it on PATH.";
}

/** Root of the module's source in Go's module cache. */
export async function moduleSource(module: GoModule): Promise<string> {
  const { Dir } = await goDownload(module);
  if (Dir === undefined) throw new Error(`go mod download gave no directory for ${module.path}@${module.version}`);
  return Dir;
}

/**
 * Builds all commands of `module` into `target`, a directory that appears only when it is whole.
 * @param onProgress gets a short text ("412 of 1980 packages") now and then
 */
export async function goBuild(module: GoModule, target: string, onProgress: (text: string) => void): Promise<void> {
  const { GoMod } = await goDownload(module);
  const upstream = goMod.parse(JSON.parse(await runOrThrow(["go", "mod", "edit", "-json", GoMod], { env: GO_ENV })));
  const parent = join(target, "..");
  await mkdir(parent, { recursive: true, mode: 0o755 });
  await removeUnfinished(target);
  const work = await mkdtemp(`${target}.building-`);
  try {
    await writeFile(join(work, "go.mod"), goModFor(module, upstream));
    const output = join(work, "out");
    await mkdir(output);
    let packages = 0;
    const [verb = "build", ...rest] = goBuildArguments(module, output);
    await runOrThrow(["go", verb, "-v", ...rest], {
      cwd: work,
      env: GO_ENV,
      onLine: (line) => {
        if (line.startsWith("go: downloading ")) onProgress(line.slice("go: ".length));
        else onProgress(`${++packages} packages compiled`);
      },
    });
    await rename(output, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What an earlier build that was killed left behind. The caller holds the lock. */
async function removeUnfinished(target: string): Promise<void> {
  const [parent, prefix] = [join(target, ".."), `${target.split("/").at(-1) ?? ""}.building-`];
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
}

async function goDownload(module: GoModule): Promise<z.infer<typeof download>> {
  const argv = ["go", "mod", "download", "-json", `${module.path}@${module.version}`];
  return download.parse(JSON.parse(await runOrThrow(argv, { env: GO_ENV })));
}
