import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider.ts";
import { must } from "../agent-process.ts";
import { type ClusterApi, ensure, removeNamespace } from "../cluster-api.ts";
import { difference } from "../guest/state.ts";
import { By, Eventually } from "../harness.ts";
import { makeAnew } from "../made-anew.ts";
import { NAMESPACE } from "../pods/pods.ts";
import { BIN, NAMES } from "./executables.ts";
import { nodeLook } from "./node-look.ts";
import { npmRunUninstall } from "./uninstall-command.ts";

/** calico-node, multus, kube-proxy. */
const DAEMONS = 3;
/** The DaemonSet's volumes: empty, they stay, as docs/agent.md says. */
export const STAY = ["/run/interlay", "/var/lib/interlay", "/var/log/interlay"] as const;
/** Between two looks that must be the same. */
const SETTLED_MS = 3000;

/** Interlay is taken off, and its workers are machines on which it never was. */
export async function withoutInterlay(api: ClusterApi, cluster: Cluster): Promise<void> {
  await By("the suite's pods go", () => removeNamespace(api, NAMESPACE));
  const { exitCode, stderr } = await By("npm run uninstall", () => npmRunUninstall(cluster));
  if (exitCode !== 0) throw new Error(`npm run uninstall ended with ${exitCode}: ${stderr}`);
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  await By("the workers are made anew", () =>
    Promise.all(workers.map((node) => makeAnew({ api, cluster }, node, DAEMONS))),
  );
  // A lab's machines have links to the plugins from their start; the control plane has lived with Interlay.
  const ours = [...NAMES.map((name) => `${BIN}/${name}`), ...STAY];
  for (const { name } of cluster.nodes) await must(cluster, name, ["rm", "--recursive", "--force", ...ours]);
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await ensure(api, namespace);
}

/** What every node has. */
export async function looks(cluster: Cluster): Promise<readonly string[]> {
  return (await Promise.all(cluster.nodes.map(({ name }) => nodeLook(cluster, name)))).flat();
}

/** The same, once nothing changes by itself: felix is still at its links when the nodes are Ready. */
export async function settledLook(cluster: Cluster): Promise<readonly string[]> {
  let last = await looks(cluster);
  return Eventually(
    "two looks at the nodes that are the same",
    async () => {
      await sleep(SETTLED_MS);
      const before = last;
      last = await looks(cluster);
      return { last, changed: difference(before, last) };
    },
    ({ changed }) => changed.length === 0,
    { timeout: 60_000 },
  ).then((seen) => seen.last);
}
