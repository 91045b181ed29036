import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider.ts";
import { execOrThrow } from "../support/agent-process.ts";
import { type ClusterApi, ensureObject, removeNamespace } from "../support/cluster-api.ts";
import { diffLines } from "../existing-cluster/cluster-state.ts";
import { By, Eventually } from "../harness.ts";
import { recreateNode } from "../support/recreate-node.ts";
import { NAMESPACE } from "../pods/pods.ts";
import { BIN_DIRECTORY, EXECUTABLE_NAMES } from "./executables.ts";
import { readNodeState } from "./node-state.ts";
import { runUninstall } from "./uninstall-command.ts";

/** calico-node, multus, kube-proxy. */
const DAEMONS = 3;
/** The DaemonSet's volumes: empty, they stay, as docs/install.md says. */
export const KEPT_DIRECTORIES = ["/run/interlay", "/var/lib/interlay", "/var/log/interlay"] as const;
/** Between two looks that must be the same. */
const SETTLED_MS = 3000;

/** Interlay is taken off, and its workers are machines on which it never was. */
export async function uninstallInterlay(api: ClusterApi, cluster: Cluster): Promise<void> {
  await By("the suite's pods go", () => removeNamespace(api, NAMESPACE));
  const { exitCode, stderr } = await By("npm run uninstall", () => runUninstall(cluster));
  if (exitCode !== 0) throw new Error(`npm run uninstall ended with ${exitCode}: ${stderr}`);
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  await By("the workers are made anew", () =>
    Promise.all(workers.map((node) => recreateNode({ api, cluster }, node, DAEMONS))),
  );
  // A lab's machines have links to the plugins from their start; the control plane has lived with Interlay.
  const ours = [...EXECUTABLE_NAMES.map((name) => `${BIN_DIRECTORY}/${name}`), ...KEPT_DIRECTORIES];
  for (const { name } of cluster.nodes) await execOrThrow(cluster, name, ["rm", "--recursive", "--force", ...ours]);
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await ensureObject(api, namespace);
}

/** What every node has. */
export async function readNodes(cluster: Cluster): Promise<readonly string[]> {
  return (await Promise.all(cluster.nodes.map(({ name }) => readNodeState(cluster, name)))).flat();
}

/** The same, once nothing changes by itself: felix is still at its links when the nodes are Ready. */
export async function readSettledNodes(cluster: Cluster): Promise<readonly string[]> {
  let last = await readNodes(cluster);
  return Eventually(
    "two looks at the nodes that are the same",
    async () => {
      await sleep(SETTLED_MS);
      const before = last;
      last = await readNodes(cluster);
      return { last, changed: diffLines(before, last) };
    },
    ({ changed }) => changed.length === 0,
    { timeout: 60_000 },
  ).then((seen) => seen.last);
}
