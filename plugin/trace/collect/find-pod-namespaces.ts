import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";

/** Directory where container runtimes, and `ip netns`, keep network namespaces. */
const NAMESPACES = "/var/run/netns";

/** A network namespace of this node other than the node's own. */
export interface PodNamespacePath {
  /** A name that is unique on the node, e.g. `cni-5f0c…`. */
  readonly name: string;
  /** Path for setns(2). */
  readonly path: string;
  /** Number of the namespace, unique among those of one kernel. */
  readonly inode: number;
}

/**
 * Finds the network namespaces of this node's pods: the files of the runtime's directory, or, if there are none, the namespaces
 * of this node's processes. Each is returned once.
 *
 * @param directories where to look; for tests
 */
export async function findPodNamespaces(
  directories: { readonly namespaces: string; readonly proc: string } = { namespaces: NAMESPACES, proc: "/proc" },
): Promise<readonly PodNamespacePath[]> {
  const own = (await stat(join(directories.proc, "self/ns/net"))).ino;
  const found = new Map<number, PodNamespacePath>();
  for (const name of await listEntries(directories.namespaces)) {
    const path = join(directories.namespaces, name);
    const inode = await stat(path).then(
      ({ ino }) => ino,
      () => own, // the pod has been deleted
    );
    if (inode !== own && !found.has(inode)) found.set(inode, { name, path, inode });
  }
  if (found.size > 0) return [...found.values()];
  for (const pid of await listEntries(directories.proc)) {
    if (!/^\d+$/.test(pid)) continue;
    const path = join(directories.proc, pid, "ns/net");
    const inode = await readlink(path).then(
      (text) => Number(/\d+/.exec(text)?.[0]),
      () => own, // the process has ended
    );
    if (inode !== own && !found.has(inode)) found.set(inode, { name: `net-${inode}`, path, inode });
  }
  return [...found.values()];
}

async function listEntries(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(() => [])).toSorted();
}
