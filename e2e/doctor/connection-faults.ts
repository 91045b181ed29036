import { configureAgents } from "../deployment/variant.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { DUPLICATE_ADDRESS } from "./duplicate-address-fault.ts";
import type { Fault } from "./doctor-fault.ts";

const ADDED = "10.234.0.0/24";
const addedPool = {
  apiVersion: "crd.projectcalico.org/v1",
  kind: "IPPool",
  metadata: { name: "added-later" },
  spec: { cidr: ADDED, vxlanMode: "Always", natOutgoing: true, blockSize: 28, nodeSelector: "all()" },
};

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
    make: async ({ execOnNode, pauseAgent }) => {
      await pauseAgent();
      await execOnNode(["sysctl", "-w", `${sysctl}=${wrong}`]);
    },
    undo: async ({ execOnNode, resumeAgent }) => {
      await execOnNode(["sysctl", "-w", `${sysctl}=${right}`]);
      await resumeAgent();
    },
  };
}

/** Faults that end connections of running pods. */
export const CONNECTION_FAULTS: readonly Fault[] = [
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
    make: async ({ execOnNode, pauseAgent }) => {
      await pauseAgent();
      await execOnNode(["nft", "delete", "table", "inet", "interlay"]);
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
    make: async ({ execOnNode, getAddress, pauseAgent }) => {
      await pauseAgent();
      await execOnNode(["ip", "route", "delete", `${getAddress("underlay-1-b", "main")}/32`]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "missing host route of a multi-NIC pod",
    check: "host-route",
    make: async ({ execOnNode, getAddress, pauseAgent }) => {
      await pauseAgent();
      await execOnNode(["ip", "route", "delete", `${getAddress("multi-nic-1-b", "net1")}/32`, "table", "500"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "an underlay pod's link to its node is down without an agent",
    check: "drift",
    make: async ({ execOnNode, getAddress, pauseAgent }) => {
      const route = await execOnNode(["ip", "route", "show", `${getAddress("underlay-1-b", "main")}/32`]);
      const link = / dev (\S+)/.exec(route)?.[1];
      if (link === undefined) throw new Error(`no link in "${route}"`);
      await pauseAgent();
      await execOnNode(["ip", "link", "set", link, "down"]);
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
    make: async ({ execOnNode, pauseAgent }) => {
      await pauseAgent();
      await execOnNode(["iptables", "-P", "FORWARD", "DROP"]);
    },
    undo: async ({ execOnNode, resumeAgent }) => {
      await execOnNode(["iptables", "-P", "FORWARD", "ACCEPT"]);
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
  DUPLICATE_ADDRESS,
];
