import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot, contentKey } from "../components/cache.ts";
import { withLock } from "../components/lock.ts";
import { timed } from "../components/timed.ts";
import type { Engine } from "../engine/engine.ts";
import type { Progress } from "../progress.ts";
import { type Image, imageId } from "./archive.ts";
import { pipeArchive } from "./load.ts";

/**
 * A containerd root directory with `images` unpacked, which all nodes mount read-only and adopt at boot
 * (files/node/usr/local/bin/adopt-images): imported once a machine, not once a node. Returns its path.
 */
export async function imageStore(
  engine: Engine,
  nodeImage: string,
  images: readonly Image[],
  progress: Progress,
): Promise<string> {
  const key = contentKey(images.map((image) => [image.reference, imageId(image)]).sort());
  const store = join(cacheRoot(), "image-stores", key);
  if (await exists(store)) return store;
  return withLock(
    `${store}.lock`,
    () => undefined,
    async () => {
      if (await exists(store)) return store;
      return timed(progress, `unpack ${images.length} images for the nodes`, async () => {
        const making = `${store}.making`;
        await rm(making, { recursive: true, force: true });
        await mkdir(making, { recursive: true, mode: 0o700 });
        const argv = [
          "run",
          "--rm",
          "--interactive",
          "--privileged",
          "--network=none",
          "--volume",
          `${making}:/interlay/images`,
        ];
        await pipeArchive(
          images,
          ["docker", ...argv, "--entrypoint", "/usr/local/bin/fill-images", nodeImage],
          engine.env,
        );
        await rename(making, store);
        return store;
      });
    },
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
