import { setTimeout as sleep } from "node:timers/promises";
import { type TraceFault, makeCommandFault, type TraceFaultContext } from "./trace-fault.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";

/** Milliseconds in which Felix writes a policy into the kernel. */
const FELIX_MS = 3000;
/** An address of the underlay that no node has. */
const NO_NODE = "10.7.255.248";

/** Returns the fault of a policy object. */
function makePolicyFault(
  title: string,
  object: Parameters<Parameters<TraceFault["make"]>[0]["api"]["objects"]["create"]>[0],
): TraceFault {
  return {
    title,
    make: async ({ api }) => {
      await api.objects.create(object);
      await sleep(FELIX_MS);
    },
    undo: async ({ api }) => {
      await api.objects.delete(object);
      await sleep(FELIX_MS);
    },
  };
}

/** Faults of policies, and of links. */
export const POLICY_FAULTS: readonly TraceFault[] = [
  makePolicyFault("a GlobalNetworkPolicy of Calico denies pings and UDP to overlay pods", {
    apiVersion: "crd.projectcalico.org/v1",
    kind: "GlobalNetworkPolicy",
    metadata: { name: "trace-fault" },
    spec: {
      order: 1,
      selector: `projectcalico.org/namespace == '${NAMESPACE}'`,
      types: ["Ingress"],
      ingress: [{ action: "Deny", protocol: "UDP" }, { action: "Deny", protocol: "ICMP" }, { action: "Allow" }],
    },
  } as never),
  makePolicyFault("a NetworkPolicy allows one client of a pod", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "trace-fault", namespace: NAMESPACE },
    spec: {
      podSelector: { matchLabels: { probe: "overlay-1-b" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { probe: "overlay-1-a" } } }],
          ports: [{ port: 8080, protocol: "TCP" }],
        },
      ],
    },
  } as never),
  makePolicyFault("a NetworkPolicy denies what a pod sends", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "trace-fault", namespace: NAMESPACE },
    spec: { podSelector: { matchLabels: { probe: "multi-nic-1-a" } }, policyTypes: ["Egress"], egress: [] },
  } as never),
  {
    title: "a tunnel's forwarding entry points to a node that does not exist",
    make: async (context) => {
      // Felix would repair the entry.
      await context.signalFelix("STOP");
      await redirectTunnel(context, context.getNodeAddress(1), NO_NODE);
    },
    undo: async (context) => {
      try {
        await redirectTunnel(context, NO_NODE, context.getNodeAddress(1));
      } finally {
        await context.signalFelix("CONT");
      }
    },
  },
  makeCommandFault(
    "the node's uplink drops what its larger neighbours send: MTU 1280 in the middle",
    () => [
      ["ip", "link", "set", "dev", "vxlan.calico", "mtu", "1280"],
      ["sysctl", "-qw", "net.ipv4.icmp_ratemask=6176"],
    ],
    () => [
      ["ip", "link", "set", "dev", "vxlan.calico", "mtu", "1450"],
      ["sysctl", "-qw", "net.ipv4.icmp_ratemask=6168"],
    ],
    { harmless: true },
  ),
];

/** Changes the node that the tunnel's forwarding entry of another node leads to. @throws an error if the entry does not exist */
async function redirectTunnel(
  { execOnNode }: Pick<TraceFaultContext, "execOnNode">,
  from: string,
  to: string,
): Promise<void> {
  const entries = await execOnNode(["bridge", "fdb", "show", "dev", "vxlan.calico"]);
  const entry = entries.split("\n").find((line) => line.split(" ").includes(from));
  const [mac] = entry?.split(" ") ?? [];
  if (mac === undefined) throw new Error(`no forwarding entry leads to ${from}:\n${entries}`);
  await execOnNode(["bridge", "fdb", "replace", mac, "dev", "vxlan.calico", "dst", to, "self", "permanent"]);
}
