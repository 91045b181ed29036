import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";
import { type ClusterApi, ensureObject, removeNamespace } from "../support/cluster-api.ts";
import { diffLines } from "../existing-cluster/cluster-state.ts";
import { By, Eventually } from "../harness.ts";
import { recreateNode } from "../support/recreate-node.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { BIN_DIRECTORY, EXECUTABLE_NAMES } from "./executables.ts";
import { readInstalledState } from "./node-state.ts";
import { runUninstall } from "./uninstall-command.ts";

/** calico-node, multus, kube-proxy. */
const DAEMONS = 3;
/** The DaemonSet's volumes: they stay as empty directories, as docs/install.md describes. */
export const KEPT_DIRECTORIES = ["/run/interlay", "/var/lib/interlay", "/var/log/interlay"] as const;
/** Milliseconds between two reads that must be equal. */
const SETTLED_MS = 3000;

/** Uninstalls Interlay and recreates the workers as machines that never had it. */
export async function uninstallWithPods(api: ClusterApi, cluster: Cluster): Promise<void> {
  await By("the suite's pods are deleted", () => removeNamespace(api, NAMESPACE));
  const { exitCode, stderr } = await By("npm run uninstall", () => runUninstall(cluster));
  if (exitCode !== 0) throw new Error(`npm run uninstall ended with ${exitCode}: ${stderr}`);
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  await By("the workers are recreated", () =>
    Promise.all(workers.map((node) => recreateNode({ api, cluster }, node, DAEMONS))),
  );
  // Nodes of a lab start with links to the plugins; the control plane has had Interlay.
  const names = [...EXECUTABLE_NAMES, "interlay-lib"];
  const paths = [...names.map((name) => `${BIN_DIRECTORY}/${name}`), ...KEPT_DIRECTORIES];
  for (const { name } of cluster.nodes) await runOnNode(cluster, name, ["rm", "--recursive", "--force", ...paths]);
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await ensureObject(api, namespace);
}

/** Returns the state of every node. */
export async function readBareNodes(cluster: Cluster): Promise<readonly string[]> {
  return (await Promise.all(cluster.nodes.map(({ name }) => readInstalledState(cluster, name)))).flat();
}

/** Returns the state once it no longer changes: felix still configures links when the nodes are Ready. */
export async function readSettledNodes(cluster: Cluster): Promise<readonly string[]> {
  let last = await readBareNodes(cluster);
  return Eventually(
    "two equal reads of the nodes' state",
    async () => {
      await sleep(SETTLED_MS);
      const previous = last;
      last = await readBareNodes(cluster);
      return { last, changed: diffLines(previous, last) };
    },
    ({ changed }) => changed.length === 0,
    { timeout: 60_000 },
  ).then((read) => read.last);
}
