import type { NamespaceSnapshot, TraceSnapshot } from "../trace/snapshot.ts";
import { buildNamespace, makeMac, type NamespaceText } from "./trace-namespace.ts";

/** Differences from the cluster that `buildCluster` describes, by namespace: `node-1`, `pod-1`, `pod-2`, `mac-1`, … */
export type ClusterChange = Readonly<Record<string, Partial<NamespaceText>>>;

const NODES = [1, 2] as const;

/**
 * Builds two nodes on one wire (10.0.0.1, 10.0.0.2). Each has two overlay pods behind veth pairs (pod-N: 10.244.N.2, twin-N:
 * 10.244.N.3), whose networks a VXLAN link joins, and two macvlan pods (mac-N: 10.0.0.N1, peer-N: 10.0.0.N2).
 */
export function buildCluster(change: ClusterChange = {}): TraceSnapshot {
  const make = (text: NamespaceText): NamespaceSnapshot => {
    const changes = change[text.id] ?? {};
    return buildNamespace({
      ...text,
      ...changes,
      links: { ...text.links, ...changes.links },
      routes: [...(text.routes ?? []), ...(changes.routes ?? [])],
      sysctls: { ...text.sysctls, ...changes.sysctls },
      more: { ...text.more, ...changes.more },
    });
  };
  return {
    version: 1,
    takenAt: "2026-01-01T00:00:00Z",
    namespaces: NODES.flatMap((node) => [
      make(describeNode(node)),
      make(describePod(`pod-${node}`, node, `10.244.${node}.2`)),
      make(describePod(`twin-${node}`, node, `10.244.${node}.3`)),
      make(describeMacvlanPod(`mac-${node}`, node, `10.0.0.${node}1`)),
      make(describeMacvlanPod(`peer-${node}`, node, `10.0.0.${node}2`)),
    ]),
  };
}

function describeNode(node: number): NamespaceText {
  const id = `node-${node}`;
  const otherNode = 3 - node;
  const tunnelMac = makeMac(`node-${otherNode}`, "vxlan0");
  return {
    id,
    links: {
      eth0: {},
      vxlan0: {
        kind: "vxlan",
        mtu: 1450,
        vxlan: { id: 4096, port: 4789, local: `10.0.0.${node}`, learning: false, proxy: false },
      },
      [`veth-pod-${node}`]: { kind: "veth", peer: { namespace: `pod-${node}`, link: "eth0" } },
      [`veth-twin-${node}`]: { kind: "veth", peer: { namespace: `twin-${node}`, link: "eth0" } },
    },
    addresses: [`10.0.0.${node}/24 eth0`, `10.244.${node}.0/32 vxlan0`],
    routes: [
      `10.244.${node}.2/32 dev veth-pod-${node}`,
      `10.244.${node}.3/32 dev veth-twin-${node}`,
      `10.244.${otherNode}.0/24 via 10.244.${otherNode}.0 dev vxlan0`,
      "0.0.0.0/0 via 10.0.0.254 dev eth0",
    ],
    neighbours: [`10.244.${otherNode}.0 vxlan0 ${tunnelMac} PERMANENT`],
    sysctls: {
      "net/ipv4/ip_forward": "1",
      [`net/ipv4/conf/veth-pod-${node}/proxy_arp`]: "1",
      [`net/ipv4/conf/veth-twin-${node}/proxy_arp`]: "1",
    },
    more: { fdb: [{ mac: tunnelMac, link: "vxlan0", destination: `10.0.0.${otherNode}` }] },
  };
}

function describePod(id: string, node: number, address: string): NamespaceText {
  return {
    id,
    kind: "pod",
    links: { eth0: { kind: "veth", mtu: 1450, peer: { namespace: `node-${node}`, link: `veth-${id}` } } },
    addresses: [`${address}/32 eth0`],
    routes: ["169.254.1.1/32 dev eth0", "0.0.0.0/0 via 169.254.1.1 dev eth0"],
  };
}

function describeMacvlanPod(id: string, node: number, address: string): NamespaceText {
  return {
    id,
    kind: "pod",
    links: {
      eth0: { kind: "macvlan", macvlanMode: "bridge", parent: { namespace: `node-${node}`, link: "eth0" } },
    },
    addresses: [`${address}/24 eth0`],
    routes: ["0.0.0.0/0 via 10.0.0.254 dev eth0"],
  };
}
