import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { getCacheRoot, hashContent } from "../components/cache.ts";
import { withLock } from "../components/lock.ts";
import { runTimed } from "../components/timed.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { Progress } from "../progress/progress.ts";
import { type Image, computeImageId } from "./archive.ts";
import { loadIntoDocker, pipeArchive } from "./load.ts";
import type { ClusterImages } from "./prepare.ts";

const INDEX = "interlay-images.json";
const index = z.record(z.string(), z.string());

/** Returns the directory of the image stores: containerd roots with unpacked images, named by a hash of their content. */
export function getStoresDirectory(): string {
  return join(getCacheRoot(), "image-stores");
}

/** Returns the images that a store lacks. Undefined: it is not usable, or has another image of the same name. */
export async function readMissingImages(
  store: string,
  images: readonly Image[],
): Promise<readonly Image[] | undefined> {
  let stored: Readonly<Record<string, string>>;
  try {
    stored = index.parse(JSON.parse(await readFile(join(store, INDEX), "utf8")));
  } catch {
    return undefined;
  }
  return findMissingImages(stored, images);
}

/** Returns the images that are not stored; undefined if an image of the same name differs. Pure. @param stored image id by reference */
export function findMissingImages(
  stored: Readonly<Record<string, string>>,
  images: readonly Image[],
): readonly Image[] | undefined {
  const missing = images.filter((image) => stored[image.reference] === undefined);
  const same = images.every((image) => missing.includes(image) || stored[image.reference] === computeImageId(image));
  return same ? missing : undefined;
}

/**
 * Returns the path of an image store: a containerd root with unpacked images. All nodes mount it read-only and use it from
 * their boot on (files/node/usr/local/bin/adopt-images), so images are imported once for all nodes. A store without the two
 * images of this project is reused: importing these is faster than unpacking all images.
 */
export async function ensureImageStore(
  engine: DockerEngine,
  { node, pods, interlay, probe }: ClusterImages,
  progress: Progress,
): Promise<string> {
  await loadIntoDocker(engine, node); // its containerd writes the store
  return withLock(
    join(getStoresDirectory(), "lock"),
    (owner) => {
      progress.note(`process ${owner} is unpacking images; waiting for it`);
    },
    async () => {
      const allImages = [...pods, interlay, probe];
      const store =
        (await findStore(allImages)) ?? (await findStore(pods)) ?? (await fillStore(engine, node, allImages, progress));
      await utimes(store, new Date(), new Date()); // marks the use for prune.ts
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
    await engine.docker(["rm", "--force", container]); // of a killed run, which would still write
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
