import type { DockerEngine } from "../docker/engine.ts";
import type { Image } from "../images/archive.ts";
import { pipeArchive } from "../images/load.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"] as const;

/** Imports images into a running node, except those whose names it has. */
export async function importImages(engine: DockerEngine, node: string, images: readonly Image[]): Promise<void> {
  const { stdout } = await engine.docker(["exec", node, ...CTR, "ls", "-q"]);
  const existing = new Set(stdout.split("\n"));
  const missing = images.filter((image) => !existing.has(image.reference));
  if (missing.length === 0) return;
  const argv = ["docker", "exec", "-i", node, ...CTR, "import", "--snapshotter", "overlayfs", "-"];
  await pipeArchive(missing, argv, engine.env);
}
