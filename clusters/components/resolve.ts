import { copyFile, mkdir, rename } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import pLimit from "p-limit";
import type { Progress } from "../progress/progress.ts";
import { getCacheRoot } from "./cache.ts";
import { type ComponentName, type ComponentRef, type Recipe, findRecipe } from "./catalog.ts";
import { runCommand } from "./run-command.ts";
import { downloadRelease, isReachable, UnavailableError } from "./download.ts";
import { createBuildKey, buildModule, findGoProblem, findModuleSource } from "./go-build.ts";
import { withLock } from "./lock.ts";
import { pathExists } from "./path-exists.ts";
import { runTimed } from "./timed.ts";

/** Number of builds at a time: downloads and linking use one core, so that another build can compile. */
const MAX_BUILDS = 2;

/** The paths of components. */
export interface ResolvedComponents {
  /**
   * Returns the absolute path of a component, a directory for `cni-plugins`.
   * @param version default: the first requested version
   * @throws if the component was not requested
   */
  path(name: ComponentName, version?: string): string;
}

/**
 * Finds each component in the first source that has it: the cache, PATH (only the exact version), the official release with
 * its checksum, and a build from Go modules. Downloads and builds stay in the cache.
 */
export async function resolveComponents(
  refs: readonly ComponentRef[],
  progress: Progress,
): Promise<ResolvedComponents> {
  const completeVersions = new Set(refs.filter((ref) => ref.name === "kube-apiserver").map((ref) => ref.version));
  const paths = new Map<string, string>();
  const modules = new Map<string, Recipe[]>();
  for (const recipe of refs.map((ref) => findRecipe(ref, completeVersions))) {
    const { directory } = getCachePath(recipe);
    modules.set(directory, [...(modules.get(directory) ?? []), recipe]);
  }
  await pLimit(MAX_BUILDS).map(modules.values(), async (recipes) => {
    for (const recipe of recipes) paths.set(formatRef(recipe.ref), await resolveComponent(recipe, progress));
  });
  return {
    path: (name, version) => {
      const requested = version ?? refs.find((ref) => ref.name === name)?.version;
      const path = requested === undefined ? undefined : paths.get(formatRef({ name, version: requested }));
      if (path === undefined) throw new Error(`component ${name} ${version ?? ""} was not requested`);
      return path;
    },
  };
}

const formatRef = (ref: ComponentRef): string => `${ref.name} ${ref.version}`;

/** Returns the path of a component in the cache: name and version, and a key of its build. */
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

async function resolveComponent(recipe: Recipe, progress: Progress): Promise<string> {
  const { directory, file } = getCachePath(recipe);
  const downloaded = join(getCacheRoot(), "components", "released", `${recipe.ref.name}-${recipe.ref.version}`);
  // A build of all the module's commands contains the same program.
  const completeBuild = getCachePath(findRecipe(recipe.ref, new Set([recipe.ref.version]))).file;
  for (const candidate of [file, downloaded, completeBuild]) if (await pathExists(candidate)) return candidate;
  const onPath = await findOnPath(recipe);
  if (onPath !== undefined) return onPath;

  const component = `${recipe.ref.name} ${recipe.ref.version}`;
  return withLock(
    `${directory}.lock`,
    (owner) => {
      progress.note(`process ${owner} is building ${component}; waiting for it`);
    },
    async () => {
      for (const candidate of [file, downloaded]) if (await pathExists(candidate)) return candidate;
      if (await tryDownload(recipe, downloaded, progress)) return downloaded;
      const problem = await findGoProblem();
      if (problem !== undefined) throw new Error(problem);
      if (recipe.sourceFile === undefined || !(await pathExists(directory)))
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

/** Downloads the official release. @returns whether it is available @throws for a wrong checksum */
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

/** Returns the path of the program on PATH if it prints exactly this version. */
async function findOnPath({ ref, versionArguments }: Recipe): Promise<string | undefined> {
  if (versionArguments === undefined) return undefined;
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(directory, ref.name);
    if (!(await pathExists(candidate))) continue;
    const { stdout } = await runCommand([candidate, ...versionArguments]);
    return stdout.split(/[\s,]+/).includes(ref.version) ? candidate : undefined;
  }
  return undefined;
}
