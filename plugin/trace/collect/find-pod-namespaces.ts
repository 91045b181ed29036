import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Directories in which container runtimes and `ip netns` mount network namespaces. */
const DIRECTORIES = ["/var/run/netns", "/var/run/docker/netns"];

/** A network namespace of this node other than the node's own. */
export interface PodNamespacePath {
  /** Name of its file, unique on the node: `cni-5f0c…`. */
  readonly name: string;
  /** Path for setns(2). */
  readonly path: string;
  /** Inode of the namespace, unique for one kernel. */
  readonly inode: number;
}

/**
 * Finds the network namespaces of this node's pods, each once. Processes are not searched, because those of other nodes may be
 * visible. A file that is not a namespace, such as that of a pod that is being deleted, is left out.
 *
 * @param nodeNamespace number and file system of the node's own namespace, which is left out too
 * @param directories where to look; for tests
 */
export async function findPodNamespaces(
  nodeNamespace: { readonly ino: number; readonly dev: number },
  directories: readonly string[] = DIRECTORIES,
): Promise<readonly PodNamespacePath[]> {
  const namespaces = new Map<number, PodNamespacePath>();
  for (const directory of directories)
    for (const name of (await readdir(directory).catch(() => [])).toSorted()) {
      const path = join(directory, name);
      const file = await stat(path).catch(() => undefined);
      if (
        file === undefined ||
        file.dev !== nodeNamespace.dev ||
        file.ino === nodeNamespace.ino ||
        namespaces.has(file.ino)
      )
        continue;
      namespaces.set(file.ino, { name, path, inode: file.ino });
    }
  return [...namespaces.values()];
}
