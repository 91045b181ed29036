/** Path of a cell as docs/architecture.md documents it: the expected and the captured path must both equal it. */
interface DocumentedPath {
  readonly title: string;
  /** Id of the cell. */
  readonly id: string;
  readonly request: readonly string[];
  readonly reply: readonly string[];
}

const VXLAN_TO_NODE_1 = ["node-2 vxlan out", "node-2 wire (vxlan) out", "node-1 wire (vxlan) in", "node-1 vxlan in"];
const VXLAN_TO_NODE_2 = ["node-1 vxlan out", "node-1 wire (vxlan) out", "node-2 wire (vxlan) in", "node-2 vxlan in"];

export const DOCUMENTED: readonly DocumentedPath[] = [
  {
    title: "sends underlay -> overlay pod of another node by veth0 and VXLAN, and the reply over the wire",
    id: "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
    request: ["underlay-1-a veth0 out", "node-1 veth in", ...VXLAN_TO_NODE_2, "node-2 cali out", "overlay-2-b eth0 in"],
    reply: ["overlay-2-b eth0 out", "node-2 cali in", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"],
  },
  {
    title: "sends underlay -> overlay pod of the same node by veth0, and the reply too",
    id: "matrix/underlay-1-a/overlay-1-b/same-node/tcp",
    request: ["underlay-1-a veth0 out", "node-1 veth in", "node-1 cali out", "overlay-1-b eth0 in"],
    reply: ["overlay-1-b eth0 out", "node-1 cali in", "node-1 veth out", "underlay-1-a veth0 in"],
  },
  {
    title: "sends overlay -> underlay pod of another node over the wire, from the pod's node",
    id: "matrix/overlay-1-a/underlay-2-b/other-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title: "sends underlay -> underlay pod over the wire, past the nodes' routes",
    id: "matrix/underlay-1-a/underlay-2-b/other-node/tcp",
    request: ["underlay-1-a eth0 out", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"],
  },
  {
    title: "sends multi-NIC -> underlay pod by net1",
    id: "matrix/multi-nic-1-a/underlay-2-b/other-node/tcp",
    request: ["multi-nic-1-a net1 out", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "multi-nic-1-a net1 in"],
  },
  {
    title: "sends multi-NIC -> overlay pod by eth0",
    id: "matrix/multi-nic-1-a/overlay-2-b/other-node/tcp",
    request: ["multi-nic-1-a eth0 out", "node-1 cali in", ...VXLAN_TO_NODE_2, "node-2 cali out", "overlay-2-b eth0 in"],
    reply: ["overlay-2-b eth0 out", "node-2 cali in", ...VXLAN_TO_NODE_1, "node-1 cali out", "multi-nic-1-a eth0 in"],
  },
  {
    title: "sends underlay pod -> Service through the pod's node, which translates, and the reply through it",
    id: "matrix/underlay-1-a/service:overlay-2/other-node/tcp",
    request: ["underlay-1-a veth0 out", "node-1 veth in", ...VXLAN_TO_NODE_2, "node-2 cali out", "overlay-2-b eth0 in"],
    reply: ["overlay-2-b eth0 out", "node-2 cali in", ...VXLAN_TO_NODE_1, "node-1 veth out", "underlay-1-a veth0 in"],
  },
  {
    title: "sends overlay -> multi-NIC pod of another node by VXLAN to its overlay address, and the reply too",
    id: "matrix/overlay-1-a/multi-nic-2-b/other-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", ...VXLAN_TO_NODE_2, "node-2 cali out", "multi-nic-2-b eth0 in"],
    reply: ["multi-nic-2-b eth0 out", "node-2 cali in", ...VXLAN_TO_NODE_1, "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title: "sends overlay -> multi-NIC pod of the same node by its cali link to its underlay address",
    id: "matrix/overlay-1-a/multi-nic-1-b:net1/same-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 cali out", "multi-nic-1-b eth0 in"],
    reply: ["multi-nic-1-b eth0 out", "node-1 cali in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title: "sends overlay -> multi-NIC pod of another node over the wire to its underlay address",
    id: "matrix/overlay-1-a/multi-nic-2-b:net1/other-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 wire out", "node-2 wire in", "multi-nic-2-b net1 in"],
    reply: ["multi-nic-2-b net1 out", "node-2 wire out", "node-1 wire in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title:
      "sends multi-NIC pod -> Service of overlay pods by eth0 through its node, which translates, and the reply through it",
    id: "matrix/multi-nic-1-a/service:overlay-2/other-node/tcp",
    request: ["multi-nic-1-a eth0 out", "node-1 cali in", ...VXLAN_TO_NODE_2, "node-2 cali out", "overlay-2-b eth0 in"],
    reply: ["overlay-2-b eth0 out", "node-2 cali in", ...VXLAN_TO_NODE_1, "node-1 cali out", "multi-nic-1-a eth0 in"],
  },
];
