import type { Engine } from "../engine/engine.ts";
import type { Image } from "../images/archive.ts";
import { pipeArchive } from "../images/load.ts";
import type { ClusterNode } from "../provider.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"] as const;

/** Imports our own images into every node that lacks one of them; on all nodes at once. */
export async function importImages(
  engine: Engine,
  nodes: readonly ClusterNode[],
  images: readonly Image[],
): Promise<void> {
  await Promise.all(
    nodes.map(async ({ name }) => {
      const { stdout } = await engine.docker(["exec", name, ...CTR, "ls", "-q"]);
      const there = new Set(stdout.split("\n"));
      const missing = images.filter((image) => !there.has(image.reference));
      if (missing.length > 0)
        await pipeArchive(
          missing,
          ["docker", "exec", "-i", name, ...CTR, "import", "--snapshotter", "overlayfs", "-"],
          engine.env,
        );
    }),
  );
}
