import assert from "node:assert/strict";
import { listMatrixCells } from "./matrix-cells.ts";
import { expectedSource, type SourceRef } from "./expected-source.ts";
import { type NetworkSettings, getNetworkSettings } from "./network-settings.ts";

const FEATURES = { dns: true, vips: true, hostPorts: true, sourceGuard: true, forwardDrop: true };
const all = listMatrixCells(2, ["ipv4"], FEATURES);
const DEFAULT: NetworkSettings = getNetworkSettings(
  { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" },
  "ipv4",
);
const SNAT = { ...DEFAULT, returnPath: "snat" } as const;
const NO_NAT = { ...DEFAULT, natOutgoing: false };
const RACKS = { ...DEFAULT, returnPath: "snat", racks: true } as const;
const FLANNEL = { ...DEFAULT, masqueradesToOverlay: true, hasNodeSubnets: true };
const NO_DETECTOR = { ...DEFAULT, podTraffic: "none" } as const;
const WIDE = { ...DEFAULT, podTraffic: "overlay-and-underlay" } as const;
const ALL_MASQUERADED = { ...DEFAULT, masqueradeAll: true };
const UNKNOWN = { ...DEFAULT, natOutgoing: undefined, podTraffic: undefined };

/** `underlay-1-a`, `multi-nic-1-a:net1`, `node-1`, `node-1 tunnel`, `node-1 overlay` */
function show(source: SourceRef): string {
  if ("endpoint" in source) return source.nic === "main" ? source.endpoint : `${source.endpoint}:${source.nic}`;
  const node = typeof source.node === "number" ? `node-${source.node + 1}` : source.node;
  return source.network === "node" ? node : `${node} ${source.network}`;
}

function computeSources(id: string, settings: NetworkSettings): readonly string[] | undefined {
  const cell = all.find((one) => one.id === id);
  assert.ok(cell, `no cell ${id}`);
  return expectedSource(cell, settings)?.map(show);
}

const cases: readonly (readonly [title: string, settings: NetworkSettings, id: string, ...sources: string[]])[] = [
  ["pod to pod is unchanged", DEFAULT, "matrix/underlay-1-a/overlay-2-b/other-node/tcp", "underlay-1-a"],
  ["pod to pod is unchanged", DEFAULT, "matrix/overlay-1-a/overlay-2-b/other-node/udp", "overlay-1-a"],
  [
    "flannel masquerades what an underlay pod sends to another node's overlay pod",
    FLANNEL,
    "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
    "node-1 tunnel",
  ],
  [
    "in an existing cluster flannel may masquerade it or not",
    { ...FLANNEL, masqueradesToOverlay: undefined },
    "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
    "node-1 tunnel",
    "underlay-1-a",
  ],
  [
    "between racks a multi-NIC pod asks the underlay by its node",
    RACKS,
    "matrix/multi-nic-1-a/underlay-2-b/other-node/tcp",
    "node-1",
  ],
  [
    "between racks an underlay pod asks the overlay with the tunnel's address",
    RACKS,
    "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
    "node-1 tunnel",
  ],
  [
    "between racks the host port of an underlay pod keeps the source: it is outside of the pod's subnet",
    RACKS,
    "host-port/underlay-1-a/host-port:underlay-2-b@node-2/other-node/tcp",
    "underlay-1-a",
  ],
  [
    "between racks an overlay pod asks a host port with its node's address",
    RACKS,
    "host-port/overlay-1-a/host-port:underlay-2-b@node-2/other-node/tcp",
    "node-1",
  ],
  [
    "from the second rack a multi-NIC pod asks the world outside by its node",
    RACKS,
    "north-south/multi-nic-2-a/external/outside/tcp",
    "node-2",
  ],
  [
    "flannel leaves what an underlay pod sends to an overlay pod of its own node",
    FLANNEL,
    "matrix/underlay-1-a/overlay-1-b/same-node/tcp",
    "underlay-1-a",
  ],
  [
    "a multi-NIC pod asks the overlay by eth0",
    DEFAULT,
    "matrix/multi-nic-1-a/overlay-2-b/other-node/tcp",
    "multi-nic-1-a",
  ],
  [
    "a multi-NIC pod asks the underlay by net1",
    DEFAULT,
    "matrix/multi-nic-1-a/multi-nic-2-b:net1/other-node/tcp",
    "multi-nic-1-a:net1",
  ],
  [
    "natOutgoing: the node asks for its overlay pod",
    DEFAULT,
    "matrix/overlay-1-a/underlay-2-b/other-node/tcp",
    "node-1",
  ],
  ["no natOutgoing: the pod itself", NO_NAT, "matrix/overlay-1-a/underlay-2-b/other-node/tcp", "overlay-1-a"],
  [
    "natOutgoing not known: either",
    UNKNOWN,
    "matrix/overlay-1-a/multi-nic-1-b:net1/same-node/tcp",
    "node-1",
    "overlay-1-a",
  ],
  [
    "Macvlan to a Service on another node arrives with the tunnel's address",
    DEFAULT,
    "matrix/underlay-1-a/service:overlay-2/other-node/tcp",
    "node-1 tunnel",
  ],
  [
    "Macvlan to a Service on its node arrives with the node's address",
    DEFAULT,
    "matrix/underlay-1-a/service:overlay-1/same-node/tcp",
    "node-1 overlay",
  ],
  [
    "Macvlan to a Service of Macvlan pods on another node arrives with the node's address",
    DEFAULT,
    "matrix/underlay-1-a/service:underlay-2/other-node/udp",
    "node-1",
  ],
  [
    "multi-NIC to a Service of overlay pods keeps the overlay address",
    DEFAULT,
    "matrix/multi-nic-1-a/service:overlay-2/other-node/tcp",
    "multi-nic-1-a",
  ],
  [
    "multi-NIC to a Service of Macvlan pods is masqueraded by the overlay",
    DEFAULT,
    "matrix/multi-nic-1-a/service:underlay-2/other-node/tcp",
    "node-1",
  ],
  ["a pod's own Service: the node", DEFAULT, "own-service/underlay-1-a/service:underlay-1-own/same-node/tcp", "node-1"],
  [
    "no detector: Interlay masquerades what leaves for another node",
    NO_DETECTOR,
    "matrix/underlay-1-a/service:overlay-2/other-node/tcp",
    "node-1 tunnel",
  ],
  [
    "clusterCIDR covers the underlay: on the same node nobody has to masquerade",
    WIDE,
    "matrix/underlay-1-a/service:underlay-1/same-node/tcp",
    "underlay-1-a",
    "node-1",
  ],
  [
    "masqueradeAll: overlay pods too",
    ALL_MASQUERADED,
    "matrix/overlay-1-a/service:overlay-2/other-node/tcp",
    "node-1 tunnel",
  ],
  ["snat: the tunnel's address", SNAT, "matrix/underlay-1-a/overlay-2-b/other-node/tcp", "node-1 tunnel"],
  ["snat changes nothing on the same node", SNAT, "matrix/underlay-1-a/overlay-1-b/same-node/tcp", "underlay-1-a"],
  ["by name as by address", DEFAULT, "dns/underlay-1-a/name:overlay-2/other-node/tcp", "node-1 tunnel"],
  ["a node asks by its tunnel", DEFAULT, "node-to-pod/node-1/overlay-2-b/other-node/tcp", "node-1 tunnel"],
  ["a node asks its own pods", DEFAULT, "node-to-pod/node-1/underlay-1-b/same-node/tcp", "node-1"],
  ["a pod asks its own node", DEFAULT, "pod-to-node/multi-nic-1-a/node-1/same-node/tcp", "multi-nic-1-a"],
  ["a pod asks another node", DEFAULT, "pod-to-node/multi-nic-1-a/node-2/other-node/tcp", "multi-nic-1-a:net1"],
  ["a pod asks another node", DEFAULT, "pod-to-node/overlay-1-a/node-2/other-node/tcp", "node-1"],
  [
    "NodePort, policy Cluster: the node whose address is used",
    DEFAULT,
    "node-port-cluster/external/node-port:overlay-cluster@node-2/outside/tcp",
    "node-2 tunnel",
  ],
  [
    "NodePort, policy Cluster, by the control plane",
    DEFAULT,
    "node-port-cluster/external/node-port:underlay-cluster@control-plane/outside/tcp",
    "control-plane",
  ],
  [
    "NodePort, policy Local: the client",
    DEFAULT,
    "node-port-local/external/node-port:overlay-local@node-2/outside/tcp",
    "external",
  ],
  [
    "overlay pod to another node's NodePort, policy Local: masqueraded by its own node",
    DEFAULT,
    "pod-to-node-port-local/overlay-2-a/node-port:underlay-local-first@node-1/other-node/tcp",
    "node-2",
  ],
  [
    "without natOutgoing that node sees the overlay pod",
    NO_NAT,
    "pod-to-node-port-local/overlay-2-a/node-port:underlay-local-first@node-1/other-node/tcp",
    "overlay-2-a",
  ],
  [
    "underlay pod to another node's NodePort, policy Local: itself",
    DEFAULT,
    "pod-to-node-port-local/underlay-2-a/node-port:overlay-local-first@node-1/other-node/tcp",
    "underlay-2-a",
  ],
  [
    "multi-NIC pod to another node's NodePort, policy Local: by net1",
    DEFAULT,
    "pod-to-node-port-local/multi-nic-2-a/node-port:overlay-local-first@node-1/other-node/tcp",
    "multi-nic-2-a:net1",
  ],
  [
    "underlay pod to its own node's NodePort, policy Local: itself, or its node",
    DEFAULT,
    "pod-to-node-port-local/underlay-1-a/node-port:overlay-local-first@node-1/same-node/tcp",
    "underlay-1-a",
    "node-1 overlay",
  ],
  [
    "a virtual address is translated on the pod's own node",
    DEFAULT,
    "vip/underlay-2-a/load-balancer:overlay-balanced-1@node-1/other-node/tcp",
    "node-2 tunnel",
  ],
  [
    "a host port keeps the source",
    DEFAULT,
    "host-port/underlay-1-a/host-port:overlay-2-b@node-2/other-node/tcp",
    "underlay-1-a",
  ],
  [
    "a host port of a flannel pod is masqueraded for clients of its node's subnet",
    FLANNEL,
    "host-port/multi-nic-1-a/host-port:overlay-1-b@node-1/same-node/tcp",
    "node-1 overlay",
  ],
  [
    "a host port of an underlay pod is masqueraded for clients of the same subnet",
    DEFAULT,
    "host-port/multi-nic-1-a/host-port:underlay-2-b@node-2/other-node/tcp",
    "node-2",
  ],
];

describe("the source that a server must see", () => {
  for (const [title, settings, id, ...sources] of cases)
    it(`${title} (${id})`, () => {
      assert.deepEqual(computeSources(id, settings), sources);
    });

  it("is known for every TCP and UDP cell but the API server's and the attacks", () => {
    for (const cell of all) {
      const silent = cell.protocol === "icmp" || cell.group === "api-server" || cell.group === "attack";
      for (const settings of [DEFAULT, NO_NAT, NO_DETECTOR, WIDE, ALL_MASQUERADED, UNKNOWN])
        assert.equal((expectedSource(cell, settings)?.length ?? 0) > 0, !silent, cell.id);
    }
  });

  it("is one address in the clusters that the suite makes, but where a pod asks its own node with policy Local", () => {
    const open = all.filter((cell) => (expectedSource(cell, DEFAULT)?.length ?? 0) > 1);
    for (const { id, group, placement, source } of open)
      assert.deepEqual(
        [group, placement, source],
        [group === "host-port" ? group : "pod-to-node-port-local", "same-node", "underlay"],
        id,
      );
  });
});
