import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesObject, PatchStrategy } from "@kubernetes/client-node";
import type { Cluster, ExecResult, ExternalHost } from "../../clusters/provider/provider.ts";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { configureAgents } from "../deployment/variant.ts";
import { createNetworkAnnotations, NAMESPACE } from "../pods/pods.ts";
import { FACTS } from "../support/node-paths.ts";

export interface FaultContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** The worker that the fault is made on. */
  readonly node: string;
  /** Runs a program there. @throws an error with its stderr if it fails */
  readonly on: (argv: readonly string[]) => Promise<string>;
  /** Address of a pod of the first worker. */
  readonly address: (pod: string, nic: "main" | "net1") => string;
  /** Stops the node's agent, which would repair the fault. */
  readonly pauseAgent: () => Promise<void>;
  readonly resumeAgent: () => Promise<void>;
}

/** A pod that is created during the fault, on the faulty node unless `elsewhere` is set. */
export interface FaultPod {
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * `waits`: it does not start, with a warning, and starts after the fault. `overlay`: it only gets the overlay. `probed`: it runs,
   * and is probed by the other pods.
   */
  readonly state: "waits" | "overlay" | "probed";
  /** Matches the warning of a pod that waits. */
  readonly warning?: RegExp;
  readonly elsewhere?: true;
}

/** A fault that is made in the cluster, and the check by which the doctor must report it. */
interface Fault {
  readonly title: string;
  readonly check: string;
  /** Undefined: cells are predicted to fail. `start`: new pods are affected. */
  readonly severity?: "start";
  readonly pod?: FaultPod;
  /** UnderlayNetworks that `make` and `undo` create. */
  readonly networks?: readonly string[];
  /** The external host must be privileged, as in a lab. */
  readonly labOnly?: true;
  make(context: FaultContext): Promise<void>;
  undo(context: FaultContext): Promise<void>;
}

const ADDED = "10.234.0.0/24";
/** Milliseconds after which the kernel accepts a change of a neighbour entry (arp(7), locktime). */
const LOCKTIME_MS = 1100;
const MULTUS = "/etc/cni/net.d/00-multus.conf";
/** Calico's configuration for Multus in the suite's clusters. */
const CALICO = "/etc/cni/multus/net.d/10-calico.conflist";
const BEFORE_MULTUS = "/etc/cni/net.d/00-a-calico.conflist";
const addedPool = {
  apiVersion: "crd.projectcalico.org/v1",
  kind: "IPPool",
  metadata: { name: "added-later" },
  spec: { cidr: ADDED, vxlanMode: "Always", natOutgoing: true, blockSize: 28, nodeSelector: "all()" },
};

/** Returns annotations that select an UnderlayNetwork of the suite's namespace as the default network. */
function selectNetwork(name: string): Readonly<Record<string, string>> {
  return { "v1.multus-cni.io/default-network": `${NAMESPACE}/${name}` };
}

export function underlayNetwork(name: string, spec: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  const object = {
    apiVersion: "interlay.dev/v1alpha1",
    kind: "UnderlayNetwork",
    metadata: { name },
    spec: { namespace: NAMESPACE, pools: ["underlay"], ...spec },
  };
  return object;
}

/** Creates or updates a network; the agents write its definition. */
async function network(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = underlayNetwork(name, spec);
  if (!(await ensureObject(api, object))) await correct(api, name, spec);
}

/** Corrects a network as the finding's remedy says; the agents update its definition. */
async function correct(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = underlayNetwork(name, spec);
  await api.objects.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
}

async function requireExternalHost(cluster: Cluster): Promise<ExternalHost> {
  const host = await cluster.external();
  if (host === undefined) throw new Error("the cluster has no external host");
  return host;
}

async function assertSucceeded(ends: Promise<ExecResult>): Promise<void> {
  const { exitCode, stderr } = await ends;
  if (exitCode !== 0) throw new Error(`on the external host: ${stderr.trim()}`);
}

/** Flushes the neighbour caches, so that stale entries do not delay the end of the fault. */
async function forgetNeighbours(cluster: Cluster): Promise<void> {
  for (const { name } of cluster.nodes) {
    await cluster.exec(name, ["ip", "neighbour", "flush", "dev", "eth0"]);
    const { stdout } = await cluster.exec(name, ["ip", "netns", "list"]);
    for (const netns of stdout.split("\n").flatMap((line) => line.split(" ")[0] ?? []))
      if (netns !== "")
        for (const link of ["eth0", "net1"])
          await cluster.exec(name, ["ip", "-n", netns, "neighbour", "flush", "dev", link]);
  }
}

/** Returns the fault of a wrong sysctl, which the agent would repair. */
function wrongSysctl(
  title: string,
  check: Fault["check"],
  sysctl: string,
  { right, wrong }: { readonly right: number; readonly wrong: number },
): Fault {
  return {
    title,
    check,
    make: async ({ on, pauseAgent }) => {
      await pauseAgent();
      await on(["sysctl", "-w", `${sysctl}=${wrong}`]);
    },
    undo: async ({ on, resumeAgent }) => {
      await on(["sysctl", "-w", `${sysctl}=${right}`]);
      await resumeAgent();
    },
  };
}

/** Faults, for kube-proxy v1.29 started with the sysctl 0. */
export const FAULTS: readonly Fault[] = [
  {
    title: "DROP rule with the sysctl off",
    check: "invalid-drop",
    make: ({ cluster }) => configureAgents(cluster, { returnPath: "none" }),
    undo: ({ cluster }) => configureAgents(cluster, { returnPath: "notrack" }),
  },
  {
    title: "sysctl on, kube-proxy not restarted",
    check: "invalid-drop",
    make: ({ cluster }) => configureAgents(cluster, { returnPath: "liberal" }),
    undo: ({ cluster }) => configureAgents(cluster, { returnPath: "notrack" }),
  },
  {
    title: "notrack table deleted",
    check: "invalid-drop",
    make: async ({ on, pauseAgent }) => {
      await pauseAgent();
      await on(["nft", "delete", "table", "inet", "interlay"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "wrong facts: an override names another overlay",
    check: "network-missing",
    make: ({ cluster }) => configureAgents(cluster, { overlayCidrs: "10.99.0.0/16" }),
    undo: ({ cluster }) => configureAgents(cluster, { overlayCidrs: null }),
  },
  {
    title: "missing host route of an underlay pod",
    check: "host-route",
    make: async ({ on, address, pauseAgent }) => {
      await pauseAgent();
      await on(["ip", "route", "delete", `${address("underlay-1-b", "main")}/32`]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "missing host route of a multi-NIC pod",
    check: "host-route",
    make: async ({ on, address, pauseAgent }) => {
      await pauseAgent();
      await on(["ip", "route", "delete", `${address("multi-nic-1-b", "net1")}/32`, "table", "500"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "an underlay pod's link to its node is down without an agent",
    check: "drift",
    make: async ({ on, address, pauseAgent }) => {
      const route = await on(["ip", "route", "show", `${address("underlay-1-b", "main")}/32`]);
      const link = / dev (\S+)/.exec(route)?.[1];
      if (link === undefined) throw new Error(`no link in "${route}"`);
      await pauseAgent();
      await on(["ip", "link", "set", link, "down"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  wrongSysctl("the node forwards nothing", "forwarding", "net.ipv4.ip_forward", { right: 1, wrong: 0 }),
  wrongSysctl("rp_filter is strict without an agent", "rp-filter", "net.ipv4.conf.all.rp_filter", {
    right: 0,
    wrong: 1,
  }),
  {
    title: "FORWARD has the policy DROP without an agent",
    check: "forward-drop",
    make: async ({ on, pauseAgent }) => {
      await pauseAgent();
      await on(["iptables", "-P", "FORWARD", "DROP"]);
    },
    undo: async ({ on, resumeAgent }) => {
      await on(["iptables", "-P", "FORWARD", "ACCEPT"]);
      await resumeAgent();
    },
  },
  {
    title: "one agent does not see a new IPPool",
    check: "network-missing",
    pod: { annotations: { "cni.projectcalico.org/ipv4pools": `["${ADDED}"]` }, state: "probed", elsewhere: true },
    make: async ({ api, pauseAgent }) => {
      await pauseAgent();
      await ensureObject(api, addedPool);
    },
    undo: async ({ api, resumeAgent }) => {
      await api.objects.delete(addedPool);
      await resumeAgent();
    },
  },
  {
    title: "duplicate address: another host on the underlay announces it",
    check: "duplicate-address",
    labOnly: true,
    make: async ({ cluster, address }) => {
      const otherHost = await requireExternalHost(cluster);
      for (const argv of [
        ["sysctl", "-w", "net.ipv4.conf.eth0.arp_notify=1"],
        ["ip", "address", "add", `${address("underlay-1-b", "main")}/32`, "dev", "eth0"],
      ])
        await assertSucceeded(otherHost.exec(argv));
      const { stdout: mac } = await otherHost.exec(["cat", "/sys/class/net/eth0/address"]);
      await sleep(LOCKTIME_MS);
      // The same MAC address again: with arp_notify the kernel announces its addresses.
      await assertSucceeded(otherHost.exec(["ip", "link", "set", "dev", "eth0", "address", mac.trim()]));
    },
    undo: async ({ cluster, address }) => {
      const otherHost = await requireExternalHost(cluster);
      await assertSucceeded(
        otherHost.exec(["ip", "address", "delete", `${address("underlay-1-b", "main")}/32`, "dev", "eth0"]),
      );
      await forgetNeighbours(cluster);
    },
  },
  {
    title: "missing uplink: a network uses a link that no node has",
    check: "uplink-missing",
    severity: "start",
    networks: ["without-uplink"],
    pod: { annotations: selectNetwork("without-uplink"), state: "waits", warning: /Link not found/ },
    make: ({ api }) => network(api, "without-uplink", { uplink: "bond7" }),
    undo: ({ api }) => correct(api, "without-uplink", { uplink: "eth0" }),
  },
  {
    title: "MTU too large for the uplink",
    check: "mtu",
    severity: "start",
    networks: ["too-large"],
    pod: { annotations: selectNetwork("too-large"), state: "waits", warning: /MTU/i },
    make: ({ api }) => network(api, "too-large", { mtu: 9000 }),
    undo: ({ api }) => correct(api, "too-large", { mtu: 1400 }),
  },
  {
    title: "the NetworkAttachmentDefinition is missing",
    check: "network-definition-missing",
    severity: "start",
    networks: ["not-yet-there"],
    pod: { annotations: selectNetwork("not-yet-there"), state: "waits", warning: /not-yet-there/ },
    make: () => Promise.resolve(),
    undo: ({ api }) => network(api, "not-yet-there", {}),
  },
  {
    title: "Multus is missing on a node",
    check: "multus-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "waits", warning: /cni/i },
    make: async ({ on }) => {
      await on(["mv", MULTUS, "/root/multus-kept"]);
    },
    undo: async ({ on }) => {
      await on(["mv", "/root/multus-kept", MULTUS]);
    },
  },
  {
    title: "another CNI configuration precedes Multus's",
    check: "multus-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "overlay" },
    make: async ({ on }) => {
      await on(["cp", CALICO, BEFORE_MULTUS]);
    },
    undo: async ({ on }) => {
      await on(["rm", BEFORE_MULTUS]);
    },
  },
  {
    title: "missing facts: the file cannot be read, nor written",
    check: "facts-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "waits", warning: /facts/ },
    make: async ({ on }) => {
      await on(["rm", FACTS]);
      await on(["mkdir", FACTS]);
    },
    undo: async ({ on }) => {
      await on(["rmdir", FACTS]);
    },
  },
];
