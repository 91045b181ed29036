/** The documents' ways, written out by hand: what the report says must equal them, whatever derives it. */
interface DocumentedPath {
  readonly title: string;
  /** Of the cell. */
  readonly id: string;
  readonly request: readonly string[];
  readonly reply: readonly string[];
}

export const DOCUMENTED: readonly DocumentedPath[] = [
  {
    title: "1. Macvlan -> Calico, other node: by veth0 and VXLAN; the reply straight over the wire",
    id: "matrix/underlay-1-a/overlay-2-b/other-node/tcp",
    request: [
      "underlay-1-a veth0 out",
      "node-1 veth in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 cali out",
      "overlay-2-b eth0 in",
    ],
    reply: ["overlay-2-b eth0 out", "node-2 cali in", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"],
  },
  {
    title: "2. Macvlan -> Calico, same node: by veth0 and back by it",
    id: "matrix/underlay-1-a/overlay-1-b/same-node/tcp",
    request: ["underlay-1-a veth0 out", "node-1 veth in", "node-1 cali out", "overlay-1-b eth0 in"],
    reply: ["overlay-1-b eth0 out", "node-1 cali in", "node-1 veth out", "underlay-1-a veth0 in"],
  },
  {
    title: "3. Calico -> Macvlan, other node: the node speaks for its pod over the wire",
    id: "matrix/overlay-1-a/underlay-2-b/other-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title: "4. Macvlan -> Macvlan: the wire alone, no node forwards",
    id: "matrix/underlay-1-a/underlay-2-b/other-node/tcp",
    request: ["underlay-1-a eth0 out", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"],
  },
  {
    title: "5. Calico+Macvlan: the underlay by net1",
    id: "matrix/multi-nic-1-a/underlay-2-b/other-node/tcp",
    request: ["multi-nic-1-a net1 out", "node-1 wire out", "node-2 wire in", "underlay-2-b eth0 in"],
    reply: ["underlay-2-b eth0 out", "node-2 wire out", "node-1 wire in", "multi-nic-1-a net1 in"],
  },
  {
    title: "5. Calico+Macvlan: the overlay by eth0",
    id: "matrix/multi-nic-1-a/overlay-2-b/other-node/tcp",
    request: [
      "multi-nic-1-a eth0 out",
      "node-1 cali in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 cali out",
      "overlay-2-b eth0 in",
    ],
    reply: [
      "overlay-2-b eth0 out",
      "node-2 cali in",
      "node-2 vxlan out",
      "node-2 wire (vxlan) out",
      "node-1 wire (vxlan) in",
      "node-1 vxlan in",
      "node-1 cali out",
      "multi-nic-1-a eth0 in",
    ],
  },
  {
    title: "6. Macvlan -> a Service: translated on its own node, and the reply back through it",
    id: "matrix/underlay-1-a/service:overlay-2/other-node/tcp",
    request: [
      "underlay-1-a veth0 out",
      "node-1 veth in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 cali out",
      "overlay-2-b eth0 in",
    ],
    reply: [
      "overlay-2-b eth0 out",
      "node-2 cali in",
      "node-2 vxlan out",
      "node-2 wire (vxlan) out",
      "node-1 wire (vxlan) in",
      "node-1 vxlan in",
      "node-1 veth out",
      "underlay-1-a veth0 in",
    ],
  },
  {
    title: "7. Calico -> Calico+Macvlan by its Calico address, other node: by VXLAN and its caliX link, both ways",
    id: "matrix/overlay-1-a/multi-nic-2-b/other-node/tcp",
    request: [
      "overlay-1-a eth0 out",
      "node-1 cali in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 cali out",
      "multi-nic-2-b eth0 in",
    ],
    reply: [
      "multi-nic-2-b eth0 out",
      "node-2 cali in",
      "node-2 vxlan out",
      "node-2 wire (vxlan) out",
      "node-1 wire (vxlan) in",
      "node-1 vxlan in",
      "node-1 cali out",
      "overlay-1-a eth0 in",
    ],
  },
  {
    title: "8. Calico -> Calico+Macvlan by its Macvlan address, same node: by its caliX link",
    id: "matrix/overlay-1-a/multi-nic-1-b:net1/same-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 cali out", "multi-nic-1-b eth0 in"],
    reply: ["multi-nic-1-b eth0 out", "node-1 cali in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title: "8. Calico -> Calico+Macvlan by its Macvlan address, other node: over the wire to net1",
    id: "matrix/overlay-1-a/multi-nic-2-b:net1/other-node/tcp",
    request: ["overlay-1-a eth0 out", "node-1 cali in", "node-1 wire out", "node-2 wire in", "multi-nic-2-b net1 in"],
    reply: ["multi-nic-2-b net1 out", "node-2 wire out", "node-1 wire in", "node-1 cali out", "overlay-1-a eth0 in"],
  },
  {
    title:
      "9. Calico+Macvlan -> a Service of Calico pods: by eth0, translated on its own node, and the reply back through it",
    id: "matrix/multi-nic-1-a/service:overlay-2/other-node/tcp",
    request: [
      "multi-nic-1-a eth0 out",
      "node-1 cali in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 cali out",
      "overlay-2-b eth0 in",
    ],
    reply: [
      "overlay-2-b eth0 out",
      "node-2 cali in",
      "node-2 vxlan out",
      "node-2 wire (vxlan) out",
      "node-1 wire (vxlan) in",
      "node-1 vxlan in",
      "node-1 cali out",
      "multi-nic-1-a eth0 in",
    ],
  },
];
