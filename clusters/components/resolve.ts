import { access, copyFile, mkdir, rename } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { Progress } from "../progress.ts";
import { getCacheRoot } from "./cache.ts";
import { type ComponentName, type ComponentRef, type Recipe, findRecipe } from "./catalog.ts";
import { runCommand } from "./command.ts";
import { downloadRelease, isReachable, UnavailableError } from "./download.ts";
import { createBuildKey, buildModule, findGoProblem, findModuleSource } from "./go-build.ts";
import { withLock } from "./lock.ts";
import { runTimed } from "./timed.ts";

/** Modules in the making at a time: while one is fetched or linked, which keeps one core at most busy, another compiles. */
const AT_ONCE = 2;

export interface ResolvedComponents {
  /** Absolute path; of a directory for `cni-plugins`. Without a version: the one that was asked for first. */
  path(name: ComponentName, version?: string): string;
  has(name: ComponentName): boolean;
}

/**
 * The path of each program, from the first source that has it: the cache, PATH (at exactly that version), the official
 * release with its checksum, a build from Go modules. What was built or downloaded once stays in the cache.
 */
export async function resolveComponents(
  refs: readonly ComponentRef[],
  progress: Progress,
): Promise<ResolvedComponents> {
  const whole = new Set(refs.filter((ref) => ref.name === "kube-apiserver").map((ref) => ref.version));
  const found = new Map<string, string>();
  const modules = new Map<string, Recipe[]>();
  for (const recipe of refs.map((ref) => findRecipe(ref, whole))) {
    const { directory } = getCachePath(recipe);
    modules.set(directory, [...(modules.get(directory) ?? []), recipe]);
  }
  const waiting = [...modules.values()];
  const worker = async () => {
    for (let recipes = waiting.shift(); recipes !== undefined; recipes = waiting.shift())
      for (const recipe of recipes) found.set(formatRef(recipe.ref), await resolveOne(recipe, progress));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return {
    path: (name, version) => {
      const wanted = version ?? refs.find((ref) => ref.name === name)?.version;
      const path = wanted === undefined ? undefined : found.get(formatRef({ name, version: wanted }));
      if (path === undefined) throw new Error(`component ${name} ${version ?? ""} was not asked for`);
      return path;
    },
    has: (name) => refs.some((ref) => ref.name === name),
  };
}

const formatRef = (ref: ComponentRef): string => `${ref.name} ${ref.version}`;

/** Where a component lies in the cache: named for people, keyed by how it is made. */
function getCachePath(recipe: Recipe): { readonly directory: string; readonly file: string } {
  const { module } = recipe;
  const key = createBuildKey(module);
  const name = (
    module.path
      .split("/")
      .filter((part) => !/^v\d+$/.test(part))
      .at(-1) ?? "module"
  ).replace(/\.v\d+$/, "");
  const directory = join(getCacheRoot(), "components", `${name}-${module.version}-${key}`);
  return { directory, file: join(directory, recipe.sourceFile?.split("/").at(-1) ?? recipe.output ?? "") };
}

async function resolveOne(recipe: Recipe, progress: Progress): Promise<string> {
  const { directory, file } = getCachePath(recipe);
  const downloaded = join(getCacheRoot(), "components", "released", `${recipe.ref.name}-${recipe.ref.version}`);
  // One program of a module that was built whole for another run is the same program.
  const whole = getCachePath(findRecipe(recipe.ref, new Set([recipe.ref.version]))).file;
  for (const candidate of [file, downloaded, whole]) if (await exists(candidate)) return candidate;
  const onPath = await findOnPath(recipe);
  if (onPath !== undefined) return onPath;

  const what = `${recipe.ref.name} ${recipe.ref.version}`;
  return withLock(
    `${directory}.lock`,
    (owner) => {
      progress.note(`${what} is being made by process ${owner}; waiting for it`);
    },
    async () => {
      for (const candidate of [file, downloaded]) if (await exists(candidate)) return candidate;
      if (await tryDownload(recipe, downloaded, progress)) return downloaded;
      const problem = await findGoProblem();
      if (problem !== undefined) throw new Error(problem);
      if (recipe.sourceFile === undefined || !(await exists(directory)))
        await runTimed(progress, `build ${formatBuildTitle(recipe)}`, (step) =>
          buildModule(recipe.module, directory, (text) => {
            step.update(text);
          }),
        );
      if (recipe.sourceFile !== undefined) await copySourceFile(recipe, file);
      return file;
    },
  );
}

/** False: the official release cannot be had from here. A release with another checksum than published is an error. */
async function tryDownload({ ref, release }: Recipe, target: string, progress: Progress): Promise<boolean> {
  if (release === undefined || !(await isReachable(release.url))) return false;
  try {
    await runTimed(progress, `download ${ref.name} ${ref.version}`, () => downloadRelease(release, target));
    return true;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    progress.note(`${error.message}; ${ref.name} is built from its Go module instead`);
    return false;
  }
}

function formatBuildTitle({ ref, module }: Recipe): string {
  return module.packages.length > 1
    ? `${module.path} (${module.packages.length} programs) ${ref.version}`
    : `${ref.name} ${ref.version}`;
}

async function copySourceFile(recipe: Recipe, target: string): Promise<void> {
  const source = join(await findModuleSource(recipe.module), recipe.sourceFile ?? "");
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, `${target}.new`);
  await rename(`${target}.new`, target);
}

/** The program on PATH, if it prints exactly this version. */
async function findOnPath({ ref, versionArguments }: Recipe): Promise<string | undefined> {
  if (versionArguments === undefined) return undefined;
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(directory, ref.name);
    if (!(await exists(candidate))) continue;
    const { stdout } = await runCommand([candidate, ...versionArguments]);
    return stdout.split(/[\s,]+/).includes(ref.version) ? candidate : undefined;
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
