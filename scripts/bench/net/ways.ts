/** A bench pod's kind: Interlay's three types, and the same NICs without Interlay, as the reference plugins alone make them. */
export type Kind = "overlay" | "underlay" | "multi-nic" | "plain-macvlan" | "plain-multi";

/** One end: a kind's pod on a worker, and the NIC whose address counts. */
export interface Endpoint {
  readonly kind: Kind;
  readonly worker: 1 | 2;
  readonly nic: "main" | "net1";
}

export interface Way {
  readonly name: string;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Asked by its Service instead of its own address. */
  readonly service?: true;
  /**
   * What the same is without Interlay; undefined: there is no such way, an underlay pod and an overlay pod do not meet.
   * Overlay pods are Calico's own either way: without means without Interlay on their nodes.
   */
  readonly plain?: Pick<Way, "from" | "to">;
}

const at = (kind: Kind, worker: 1 | 2, nic: "main" | "net1" = "main"): Endpoint => ({ kind, worker, nic });
/** Source on worker 1; the target there too, or on worker 2. */
const BOTH = [
  ["same node", 1],
  ["other node", 2],
] as const;

/** Each target has another pod than its source: `a` asks, `b` answers. */
export const WAYS: readonly Way[] = [
  ...BOTH.map(([place, worker]): Way => ({
    name: `macvlan -> macvlan, ${place}`,
    from: at("underlay", 1),
    to: at("underlay", worker),
    plain: { from: at("plain-macvlan", 1), to: at("plain-macvlan", worker) },
  })),
  ...BOTH.map(([place, worker]): Way => {
    const ends = { from: at("overlay", 1), to: at("overlay", worker) };
    return { name: `Calico -> Calico, ${place}`, ...ends, plain: ends };
  }),
  {
    name: "Calico -> Calico's Service, other node",
    from: at("overlay", 1),
    to: at("overlay", 2),
    service: true,
    plain: { from: at("overlay", 1), to: at("overlay", 2) },
  },
  {
    name: "net1 -> net1, other node",
    from: at("multi-nic", 1, "net1"),
    to: at("multi-nic", 2, "net1"),
    plain: { from: at("plain-multi", 1, "net1"), to: at("plain-multi", 2, "net1") },
  },
  ...BOTH.map(([place, worker]): Way => ({
    name: `underlay -> overlay, ${place}`,
    from: at("underlay", 1),
    to: at("overlay", worker),
  })),
  { name: "overlay -> underlay, other node", from: at("overlay", 1), to: at("underlay", 2) },
  { name: "underlay -> overlay's Service, other node", from: at("underlay", 1), to: at("overlay", 2), service: true },
  { name: "underlay -> multi-NIC's overlay address, other node", from: at("underlay", 1), to: at("multi-nic", 2) },
  { name: "multi-NIC -> underlay, other node", from: at("multi-nic", 1), to: at("underlay", 2) },
];
