import { chmod, copyFile, cp, mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { hashContent } from "../components/cache.ts";
import type { Progress } from "../progress/progress.ts";
import { createContentTag, type Image, type ImageConfig } from "./archive.ts";
import { buildPodRoot } from "./base.ts";
import { type Layer, LayerCache } from "./layer.ts";
import { getLayersDirectory } from "./prepare.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Directory of the suite in its image. */
const HOME = "suite";
const SOURCES = ["clusters", "e2e", "plugin", "results", "scripts"] as const;
const SOURCE_FILES = ["package.json", "tsconfig.json"] as const;
/** Changes when other files are copied into the layer of modules. */
const MODULES_RECIPE = 1;

const CONFIG: ImageConfig = {
  Entrypoint: ["/usr/local/bin/node", "--import", "tsx", "scripts/in-cluster/run-in-pod.ts"],
  WorkingDir: `/${HOME}`,
  Env: ["NODE_NO_WARNINGS=1"],
};

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), devOptional: z.boolean().optional() })),
});

/**
 * Returns the directories of packages that the suite needs at run time.
 * @param lock content of package-lock.json
 */
export function listModules(lock: string): readonly string[] {
  const { packages } = lockFile.parse(JSON.parse(lock));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true)
    .map(([path]) => path)
    .filter((path) => !/^node_modules\/(node|bun|@oven\/[^/]+)$|(^|\/)node_modules\/@types\//.test(path));
}

/** Whether a source file belongs in the image: tests, results of runs and executables do not. */
export function isSuiteSource(path: string): boolean {
  if (path.split("/").some((part) => part === "node_modules" || part === "dist")) return false;
  return !/\.test\.ts$|^results\/(runs|latest|certificates)(\/|$)/.test(path);
}

/**
 * Builds the image that runs the suite in a pod: a Debian root, Node.js with the packages, the sources. Equal contents have
 * equal tags.
 * @param probe path of the probe's executable: the image contains the digest of its sources, so that it is not built again
 */
export async function buildSuiteImage(probe: string, progress: Progress): Promise<Image> {
  const layers = new LayerCache(getLayersDirectory());
  const image = {
    layers: [await buildPodRoot(layers, progress), await buildModules(layers), await buildSources(layers, probe)],
    config: CONFIG,
  };
  return { ...image, reference: `interlay.dev/suite:${createContentTag(image)}` };
}

async function buildModules(layers: LayerCache): Promise<Layer> {
  const lock = await readFile(join(ROOT, "package-lock.json"), "utf8");
  const isNeeded = (path: string) => !/\.map$|\.d\.[cm]?ts$/.test(path);
  return layers.ensure(`layer-${hashContent(MODULES_RECIPE, lock)}`, "root", async (tree) => {
    for (const module of listModules(lock)) {
      const from = join(ROOT, module);
      const entries = await readdir(from).catch(() => []); // optional packages of other systems are not installed
      for (const entry of entries.filter((name) => name !== "node_modules" && isNeeded(name)))
        await cp(join(from, entry), join(tree, HOME, module, entry), { recursive: true, filter: isNeeded });
    }
    // The digest of the probe contains the version of Bun.
    await copyIntoTree(join(ROOT, "node_modules/bun/package.json"), join(tree, HOME, "node_modules/bun/package.json"));
    const node = join(tree, "usr/local/bin/node");
    await copyIntoTree(join(ROOT, "node_modules/node/bin/node"), node);
    await chmod(node, 0o755);
  });
}

async function buildSources(layers: LayerCache, probe: string): Promise<Layer> {
  const stamp = `${probe}.sources`;
  const names = await Promise.all(
    SOURCES.map(async (directory) => {
      const entries = await readdir(join(ROOT, directory), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
    }),
  );
  const files = [...names.flat().filter(isSuiteSource), ...SOURCE_FILES, stamp.slice(ROOT.length + 1)].sort();
  const identity = await Promise.all(files.map(async (name) => [name, await readFile(join(ROOT, name), "base64")]));
  return layers.ensure(`layer-${hashContent(HOME, identity)}`, "root", async (tree) => {
    for (const name of files) await copyIntoTree(join(ROOT, name), join(tree, HOME, name));
  });
}

async function copyIntoTree(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}
