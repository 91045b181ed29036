import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { getCacheRoot, hashContent } from "../components/cache.ts";
import { withLock } from "../components/lock.ts";
import { runTimed } from "../components/timed.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { Progress } from "../progress.ts";
import { type Image, computeImageId } from "./archive.ts";
import { loadIntoDocker, pipeArchive } from "./load.ts";
import type { ClusterImages } from "./prepare.ts";

const INDEX = "interlay-images.json";
const index = z.record(z.string(), z.string());

/** Where the stores are: containerd roots with images unpacked, by content. */
export function getStoresDirectory(): string {
  return join(getCacheRoot(), "image-stores");
}

/** Which of `images` a store has not. Undefined: it is none of ours, or has another image under one of the names. */
export async function readMissingImages(
  store: string,
  images: readonly Image[],
): Promise<readonly Image[] | undefined> {
  let there: Readonly<Record<string, string>>;
  try {
    there = index.parse(JSON.parse(await readFile(join(store, INDEX), "utf8")));
  } catch {
    return undefined;
  }
  return findMissingImages(there, images);
}

/** @param there image id by reference */
export function findMissingImages(
  there: Readonly<Record<string, string>>,
  images: readonly Image[],
): readonly Image[] | undefined {
  const absent = images.filter((image) => there[image.reference] === undefined);
  const same = images.every((image) => absent.includes(image) || there[image.reference] === computeImageId(image));
  return same ? absent : undefined;
}

/**
 * A containerd root directory with images unpacked, which all nodes mount read-only and adopt at boot
 * (files/node/usr/local/bin/adopt-images): imported once a machine, not once a node. Returns its path. One that has all
 * but our own two will do: those change with every edit and are quicker imported than everything unpacked again.
 */
export async function ensureImageStore(
  engine: DockerEngine,
  { node, pods, interlay, probe }: ClusterImages,
  progress: Progress,
): Promise<string> {
  await loadIntoDocker(engine, node); // its containerd fills the store
  return withLock(
    join(getStoresDirectory(), "lock"),
    (owner) => {
      progress.note(`process ${owner} is unpacking images; waiting for it`);
    },
    async () => {
      const all = [...pods, interlay, probe];
      const store = (await findStore(all)) ?? (await findStore(pods)) ?? (await fillStore(engine, node, all, progress));
      await utimes(store, new Date(), new Date()); // for prune.ts: used now
      return store;
    },
  );
}

async function findStore(images: readonly Image[]): Promise<string | undefined> {
  for (const name of await readdir(getStoresDirectory())) {
    const store = join(getStoresDirectory(), name);
    if ((await readMissingImages(store, images))?.length === 0) return store;
  }
  return undefined;
}

function fillStore(engine: DockerEngine, node: Image, images: readonly Image[], progress: Progress): Promise<string> {
  const ids = Object.fromEntries(images.map((image) => [image.reference, computeImageId(image)]));
  const store = join(getStoresDirectory(), hashContent(Object.entries(ids).sort()));
  return runTimed(progress, `unpack ${images.length} images for the nodes`, async () => {
    const making = `${store}.making`;
    const container = `interlay-fill-${basename(store)}`;
    await engine.docker(["rm", "--force", container]); // a killed run's, which would still write
    await rm(making, { recursive: true, force: true });
    await rm(store, { recursive: true, force: true });
    await mkdir(making, { recursive: true, mode: 0o700 });
    const run = ["docker", "run", "--rm", "--interactive", "--privileged", "--network=none", "--name", container];
    const argv = [...run, "--volume", `${making}:/interlay/images`, "--entrypoint", "/usr/local/bin/fill-images"];
    await pipeArchive(images, [...argv, node.reference], engine.env);
    await writeFile(join(making, INDEX), `${JSON.stringify(ids, undefined, 2)}\n`, { mode: 0o600 });
    await rename(making, store);
    return store;
  });
}
