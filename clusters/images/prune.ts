import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DockerEngine } from "../docker/engine.ts";
import { getLayersDirectory } from "./prepare.ts";
import { getStoresDirectory } from "./store.ts";

/** Number of unused stores to keep: switching between two sets of versions stays fast. */
const SPARE_STORES = 1;

/** Age after its last use at which a layer is removed. Each change of a program creates a layer of 110 MB. */
const LAYER_AGE_MS = 2 * 24 * 60 * 60 * 1000;

/** Removes layers that were not used for a long time. */
export async function pruneLayers(): Promise<void> {
  const names = await readdir(getLayersDirectory()).catch(() => []);
  for (const name of names.filter((entry) => entry.endsWith(".tar"))) {
    const tar = join(getLayersDirectory(), name);
    const lastUse = await stat(`${tar}.json`).catch(() => stat(tar));
    if (Date.now() - lastUse.mtimeMs > LAYER_AGE_MS)
      await Promise.all([tar, `${tar}.json`].map((file) => rm(file, { force: true })));
  }
}

/**
 * Removes old images of this project in Docker, and old image stores, unless a container uses them.
 * @param node reference of the node image to keep
 */
export async function pruneImages(engine: DockerEngine, node: string): Promise<void> {
  const format = "{{.Repository}}:{{.Tag}}";
  const { stdout } = await engine.docker(["image", "ls", "--format", format, "--filter", "reference=interlay.dev/*"]);
  const oldImages = stdout.split("\n").filter((reference) => reference !== "" && reference !== node);
  // Without --force, Docker keeps images that a container uses, also one of another cluster.
  if (oldImages.length > 0) await engine.docker(["image", "rm", ...oldImages]);
  const unused = listUnusedStores(await listKnownStores(), await listMountedSources(engine));
  await Promise.all(unused.slice(SPARE_STORES).map((store) => rm(store, { recursive: true, force: true })));
}

interface KnownStore {
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

/** Returns the stores that no container mounts, the last used first. Pure. */
export function listUnusedStores(stores: readonly KnownStore[], mounted: ReadonlySet<string>): readonly string[] {
  return stores
    .filter(({ path }) => !mounted.has(path))
    .sort((a, b) => b.lastUsed - a.lastUsed)
    .map(({ path }) => path);
}

async function listKnownStores(): Promise<readonly KnownStore[]> {
  const entries = await readdir(getStoresDirectory(), { withFileTypes: true }).catch(() => []);
  return Promise.all(
    entries
      .filter((entry) => entry.isDirectory() && !entry.name.endsWith(".making"))
      .map(async ({ name }) => {
        const path = join(getStoresDirectory(), name);
        return { path, lastUsed: (await stat(path)).mtimeMs };
      }),
  );
}

async function listMountedSources(engine: DockerEngine): Promise<ReadonlySet<string>> {
  const ids = (await engine.docker(["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length === 0) return new Set();
  const { stdout } = await engine.docker([
    "inspect",
    "--format",
    "{{range .Mounts}}{{println .Source}}{{end}}",
    ...ids,
  ]);
  return new Set(stdout.split("\n").filter((line) => line !== ""));
}
