import assert from "node:assert/strict";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { runOnNode, signalAgent, signalProcess } from "../support/agent-process.ts";
import { findNetns } from "../agent/streams.ts";
import { Eventually } from "../harness.ts";
import type { Variant } from "../cells/gate.ts";
import { switchVariant } from "../deployment/variant.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { pickRandom } from "../support/random.ts";
import { dropNode } from "./dropped-node.ts";
import { fillPool } from "./filled-pool.ts";
import type { ChaosAction } from "./action.ts";
import { listClaimedAddresses } from "./invariants.ts";
import { PLUGIN } from "./find-leaks.ts";
import { createChaosPod, deletePod, waitForChaosPod } from "./chaos-context.ts";

const TYPES = ["underlay", "multi-nic"] as const;
const MOVER = "mover";

/** Creates an action that kills a process of a worker or of the control plane's node. @param pattern for `pkill -f` */
function createKillAction(name: string, pattern: string, where: "worker" | "control-plane" = "worker"): ChaosAction {
  return {
    name: `kill -9 ${name}`,
    act: async ({ cluster, workers, random }) => {
      const controlPlane = cluster.nodes.find(({ role }) => role === "control-plane")?.name ?? "";
      const node = where === "worker" ? pickRandom(workers, random) : controlPlane;
      await signalProcess(cluster, node, pattern, "KILL");
      return `${name} of ${node}`;
    },
  };
}

/** Creates an action that removes all objects of one kind that Interlay has on a node. */
function createFlushAction(
  name: string,
  argvs: (families: readonly IpFamily[]) => readonly (readonly string[])[],
): ChaosAction {
  return {
    name: `flush ${name}`,
    act: async ({ cluster, deployment, workers, random, lost }) => {
      const node = pickRandom(workers, random);
      lost.routes.add(node);
      for (const argv of argvs(deployment.families)) await runOnNode(cluster, node, argv);
      return `${name} of ${node}`;
    },
  };
}

/** Returns an `ip` command for each family. */
const buildIpCommands =
  (...argv: readonly string[]) =>
  (families: readonly IpFamily[]) =>
    families.map((family) => ["ip", family === "ipv6" ? "-6" : "-4", ...argv]);
const flushRoutes = buildIpCommands("route", "flush", "table", "all", "proto", "105");

/** Variants in which every cell passes, so that a switch between them breaks nothing. */
const PASSING: readonly Variant[] = [
  { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" },
  { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" },
  { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "liberal" },
  { kubeProxy: { version: "v1.29.15", mode: "nftables" }, returnPath: "notrack" },
];
const KUBELET_AWAY_MS = 4000;

export const ACTIONS: readonly ChaosAction[] = [
  createKillAction("the agent", "interlay agent$"),
  createKillAction("felix", "calico-node -felix"),
  createKillAction("kube-proxy", "kube-proxy[^ ]* --"),
  createKillAction("the API server", "kube-apiserver", "control-plane"),
  createKillAction("etcd", "etcd --", "control-plane"),
  createFlushAction("our routes", flushRoutes),
  // The table is added first: it does not exist while the return path is liberal.
  createFlushAction("our nft table", () => [["nft", "add table inet interlay; delete table inet interlay"]]),
  createFlushAction("our rule", buildIpCommands("rule", "delete", "lookup", "500")),
  {
    name: "flush our routes in a pod",
    act: async ({ cluster, deployment, random }) => {
      const pod = pickRandom(
        [...deployment.pods.values()].filter(({ name }) => /^(underlay|multi-nic)-/.test(name)),
        random,
      );
      const netns = await findNetns(cluster, pod.node, deployment.getAddress(pod.name, "main"));
      for (const argv of flushRoutes(deployment.families))
        await runOnNode(cluster, pod.node, ["nsenter", `--net=${netns}`, ...argv]);
      return `of ${pod.name}`;
    },
  },
  {
    name: "pods come",
    act: async (context) => {
      const createdPods = await Promise.all(
        [1, 2, 3].map(() =>
          createChaosPod(context, {
            node: pickRandom(context.workers, context.random),
            type: pickRandom(TYPES, context.random),
          }),
        ),
      );
      await Promise.all(createdPods.map((testPod) => waitForChaosPod(context, testPod)));
      return createdPods.map(({ name, type, node }) => `${name} (${type}) on ${node}`).join(", ");
    },
  },
  {
    name: "pods go",
    act: async (context) => {
      const podsToDelete = [...context.testPods.values()].filter(({ name }) => name !== MOVER).slice(0, 3);
      await Promise.all(podsToDelete.map((testPod) => deletePod(context, testPod)));
      return podsToDelete.length === 0 ? "none exists" : podsToDelete.map(({ name }) => name).join(", ");
    },
  },
  {
    name: "the plugin is killed during ADD",
    act: async (context) => {
      const node = pickRandom(context.workers, context.random);
      const kill = async () => (await context.cluster.exec(node, ["pkill", "-KILL", "-f", PLUGIN])).exitCode === 0;
      // A call takes some milliseconds. While the agent is stopped the call waits for it; the agent then serves a call whose client
      // has ended.
      await signalAgent(context.cluster, node, "STOP");
      const testPods = [];
      try {
        for (const type of TYPES) testPods.push(await createChaosPod(context, { node, type }));
        await Eventually("a running call of the plugin is killed", kill, (isKilled) => isKilled, {
          timeout: 20_000,
          interval: 20,
        });
      } finally {
        await signalAgent(context.cluster, node, "CONT");
      }
      await Promise.all(testPods.map((testPod) => waitForChaosPod(context, testPod)));
      return `on ${node}, and ${testPods.map(({ name }) => name).join(", ")} are ready nevertheless`;
    },
  },
  {
    name: "a fixed address moves to another node",
    act: async (context) => {
      const before = context.testPods.get(MOVER);
      const [first = "", second = ""] = context.workers;
      if (before === undefined) {
        await waitForChaosPod(context, await createChaosPod(context, { name: MOVER, node: first, type: "underlay" }));
        return `${MOVER} is on ${first}`;
      }
      const [address = ""] = await listClaimedAddresses(context, MOVER);
      await deletePod(context, before);
      const node = before.node === first ? second : first;
      await waitForChaosPod(context, await createChaosPod(context, { name: MOVER, node, type: "underlay", address }));
      assert.deepEqual(await listClaimedAddresses(context, MOVER), [address], "the moved pod's address");
      const prober = await context.deployment.getProber("underlay-1-a");
      const { ok, error } = await prober.probe({ protocol: "tcp", address, port: TCP_PORT, timeoutMs: 3000 });
      assert.ok(ok, `${address} does not answer on ${node}: ${error ?? ""}`);
      return `${address} from ${before.node} to ${node}`;
    },
  },
  {
    name: "conntrack is flushed",
    act: async ({ cluster, workers, random, lost }) => {
      const node = pickRandom(workers, random);
      await runOnNode(cluster, node, ["conntrack", "--flush"]);
      lost.conntrack.add(node);
      return `of ${node}`;
    },
  },
  {
    name: "kube-proxy and the return path are switched",
    act: async ({ cluster, random }) => {
      const { kubeProxy, returnPath } = pickRandom(PASSING, random);
      await switchVariant(cluster, { kubeProxy, returnPath });
      return `${kubeProxy.version} (${kubeProxy.mode}), ${returnPath}`;
    },
  },
  {
    name: "a kubelet is stopped for a while",
    fits: ({ cluster }) => cluster.faults !== undefined,
    act: async (context) => {
      const node = pickRandom(context.workers, context.random);
      const pausedKubelet = context.cluster.faults?.pauseKubelet(node, KUBELET_AWAY_MS);
      const testPod = await createChaosPod(context, { node, type: pickRandom(TYPES, context.random) });
      await pausedKubelet;
      await waitForChaosPod(context, testPod);
      return `${node} for ${KUBELET_AWAY_MS} ms; ${testPod.name}, created in the meantime, is ready`;
    },
  },
  fillPool,
  dropNode,
];
