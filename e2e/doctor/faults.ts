import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesObject, PatchStrategy } from "@kubernetes/client-node";
import type { Cluster, ExecResult, ExternalHost } from "../../clusters/provider.ts";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { configureAgents } from "../matrix/variant.ts";
import { createNetworkAnnotations, NAMESPACE } from "../pods/pods.ts";

export interface FaultContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** The worker that the fault is made on. */
  readonly node: string;
  /** Runs a program there; throws with its words. */
  readonly on: (argv: readonly string[]) => Promise<string>;
  /** Address of a pod of the first worker. */
  readonly address: (pod: string, nic: "main" | "net1") => string;
  /** Stops the node's agent, which would put the fault right; `undo` lets it go on. */
  readonly pauseAgent: () => Promise<void>;
  readonly resumeAgent: () => Promise<void>;
}

/** A pod that is made under the fault, on its node if not `elsewhere`. */
export interface Trial {
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * `waits`: it does not start, with a warning that says so, and starts once the fault is undone. `overlay`: it gets the
   * overlay alone. `asked`: it runs, and is asked by the other pods.
   */
  readonly becomes: "waits" | "overlay" | "asked";
  /** What the warning of one that waits says. */
  readonly says?: RegExp;
  readonly elsewhere?: true;
}

/** A fault that is really made, and what the doctor must call it. */
interface Fault {
  readonly title: string;
  readonly check: string;
  /** Else cells are predicted to fail. `start`: it is new pods that the finding is about. */
  readonly severity?: "start";
  readonly trial?: Trial;
  /** UnderlayNetworks that `make` and `undo` have made. */
  readonly networks?: readonly string[];
  /** Only where the external host may do what it takes. */
  readonly labOnly?: true;
  make(context: FaultContext): Promise<void>;
  undo(context: FaultContext): Promise<void>;
}

const ADDED = "10.234.0.0/24";
/** A neighbour that was heard of so long ago is believed when it says something new (arp(7), locktime). */
const LOCKTIME_MS = 1100;
const MULTUS = "/etc/cni/net.d/00-multus.conf";
/** Where these clusters keep it for Multus, which calls it: clusters/manifests/multus.yaml. */
const CALICO = "/etc/cni/multus/net.d/10-calico.conflist";
const BEFORE_MULTUS = "/etc/cni/net.d/00-a-calico.conflist";
const FACTS = "/var/lib/interlay/facts.json";
const addedPool = {
  apiVersion: "crd.projectcalico.org/v1",
  kind: "IPPool",
  metadata: { name: "added-later" },
  spec: { cidr: ADDED, vxlanMode: "Always", natOutgoing: true, blockSize: 28, nodeSelector: "all()" },
};

/** A pod's annotations that ask for an UnderlayNetwork of the suite's namespace as its only one. */
function of(name: string): Readonly<Record<string, string>> {
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

/** The agents write its definition. */
async function network(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = underlayNetwork(name, spec);
  if (!(await ensureObject(api, object))) await correct(api, name, spec);
}

/** As its user would, by the finding's remedy: the definition follows. */
async function correct(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = underlayNetwork(name, spec);
  await api.objects.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
}

async function outsider(cluster: Cluster): Promise<ExternalHost> {
  const host = await cluster.external();
  if (host === undefined) throw new Error("there is no host outside of the cluster");
  return host;
}

async function outside(ends: Promise<ExecResult>): Promise<void> {
  const { exitCode, stderr } = await ends;
  if (exitCode !== 0) throw new Error(`on the external host: ${stderr.trim()}`);
}

/** What nodes and pods believe of their neighbours they ask again by and by; so they do at once. */
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

/** A sysctl of the node that the agent would put right, or that it works around. */
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

/** In this order: kube-proxy is v1.29, started with the sysctl 0. */
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
    title: "an underlay pod's link to its node is down, and no agent that sets it up",
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
  wrongSysctl(
    "rp_filter strict, and no agent that makes the tunnel loose",
    "rp-filter",
    "net.ipv4.conf.all.rp_filter",
    { right: 0, wrong: 1 },
  ),
  {
    title: "FORWARD DROP, and no agent that sees it",
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
    title: "an IPPool added later, which one agent does not see",
    check: "network-missing",
    trial: { annotations: { "cni.projectcalico.org/ipv4pools": `["${ADDED}"]` }, becomes: "asked", elsewhere: true },
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
    title: "duplicate address: a stranger on the wire has it, and says so",
    check: "duplicate-address",
    labOnly: true,
    make: async ({ cluster, address }) => {
      const stranger = await outsider(cluster);
      for (const argv of [
        ["sysctl", "-w", "net.ipv4.conf.eth0.arp_notify=1"],
        ["ip", "address", "add", `${address("underlay-1-b", "main")}/32`, "dev", "eth0"],
      ])
        await outside(stranger.exec(argv));
      const { stdout: mac } = await stranger.exec(["cat", "/sys/class/net/eth0/address"]);
      await sleep(LOCKTIME_MS);
      // The same as it has: with arp_notify the kernel tells everybody its addresses all the same.
      await outside(stranger.exec(["ip", "link", "set", "dev", "eth0", "address", mac.trim()]));
    },
    undo: async ({ cluster, address }) => {
      const stranger = await outsider(cluster);
      await outside(stranger.exec(["ip", "address", "delete", `${address("underlay-1-b", "main")}/32`, "dev", "eth0"]));
      await forgetNeighbours(cluster);
    },
  },
  {
    title: "missing uplink: a network is made from a link that no node has",
    check: "uplink-missing",
    severity: "start",
    networks: ["without-uplink"],
    trial: { annotations: of("without-uplink"), becomes: "waits", says: /Link not found/ },
    make: ({ api }) => network(api, "without-uplink", { uplink: "bond7" }),
    undo: ({ api }) => correct(api, "without-uplink", { uplink: "eth0" }),
  },
  {
    title: "MTU too large for the uplink",
    check: "mtu",
    severity: "start",
    networks: ["too-large"],
    trial: { annotations: of("too-large"), becomes: "waits", says: /MTU/i },
    make: ({ api }) => network(api, "too-large", { mtu: 9000 }),
    undo: ({ api }) => correct(api, "too-large", { mtu: 1400 }),
  },
  {
    title: "the NetworkAttachmentDefinition is missing",
    check: "network-definition-missing",
    severity: "start",
    networks: ["not-yet-there"],
    trial: { annotations: of("not-yet-there"), becomes: "waits", says: /not-yet-there/ },
    make: () => Promise.resolve(),
    undo: ({ api }) => network(api, "not-yet-there", {}),
  },
  {
    title: "Multus is missing on a node: its configuration is the only one there",
    check: "multus-missing",
    severity: "start",
    trial: { annotations: createNetworkAnnotations("underlay"), becomes: "waits", says: /cni/i },
    make: async ({ on }) => {
      await on(["mv", MULTUS, "/root/multus-kept"]);
    },
    undo: async ({ on }) => {
      await on(["mv", "/root/multus-kept", MULTUS]);
    },
  },
  {
    title: "another configuration comes before Multus's",
    check: "multus-missing",
    severity: "start",
    trial: { annotations: createNetworkAnnotations("underlay"), becomes: "overlay" },
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
    trial: { annotations: createNetworkAnnotations("underlay"), becomes: "waits", says: /facts/ },
    make: async ({ on }) => {
      await on(["rm", FACTS]);
      await on(["mkdir", FACTS]);
    },
    undo: async ({ on }) => {
      await on(["rmdir", FACTS]);
    },
  },
];
