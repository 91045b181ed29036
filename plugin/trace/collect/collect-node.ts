import { stat } from "node:fs/promises";
import pLimit from "p-limit";
import { SNAPSHOT_VERSION, type TraceSnapshot } from "../snapshot.ts";
import { enterNamespace, OWN_NAMESPACE } from "./command-runner.ts";
import { connectLinks } from "./connect-links.ts";
import { findPodNamespaces } from "./find-pod-namespaces.ts";
import { type CollectedNamespace, readNamespace } from "./read-namespace.ts";

/** Number of namespaces that are read at the same time; each read starts about ten short processes. */
const PARALLEL = 4;

/**
 * Reads this node's network namespace and those of its pods. Needs root in the node's network namespace. A pod that ends
 * meanwhile is left out.
 *
 * @param node name of the node
 */
export async function collectNode(node: string): Promise<TraceSnapshot> {
  const namespace = await stat("/proc/self/ns/net");
  const id = `${node}/net:${namespace.ino}`;
  const readPods = pLimit(PARALLEL).map(await findPodNamespaces(namespace), async ({ name, path, inode: podInode }) => {
    const identity = { id: `${node}/net:${podInode}`, kind: "pod", name, node: id } as const;
    try {
      return [await readNamespace(identity, enterNamespace(path))];
    } catch (error) {
      if (
        await stat(path).then(
          () => true,
          () => false,
        )
      )
        throw error;
      return [];
    }
  });
  const [nodeNamespace, pods] = await Promise.all([
    readNamespace({ id, kind: "node", name: node }, OWN_NAMESPACE),
    readPods,
  ]);
  return {
    version: SNAPSHOT_VERSION,
    takenAt: new Date().toISOString(),
    namespaces: connectLinks([nodeNamespace, ...pods.flat()] satisfies CollectedNamespace[]),
  };
}
