import { type NetState, STATES } from "./states.ts";

/** Kinds of pods: Interlay's three types, and pods with the same NICs by the reference plugins only. */
export type BenchEndpointKind = "overlay" | "underlay" | "multi-nic" | "plain-macvlan" | "plain-multi";

/** One end of a path: a pod of a kind on a worker, and the NIC whose address is used. */
export interface Endpoint {
  readonly kind: BenchEndpointKind;
  readonly worker: 1 | 2;
  readonly nic: "main" | "net1";
}

export interface NetPath {
  readonly name: string;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Whether the client uses the Service instead of the pod's address. */
  readonly service?: true;
  readonly states: readonly NetState[];
}

/** Paths that are compared with and without Interlay's configuration between the same pods. */
const COMPARED: readonly NetState[] = STATES;
/** Paths that do not exist without Interlay: underlay and overlay pods cannot reach each other. */
const ALONE: readonly NetState[] = ["notrack", "liberal"];
/** Pods without Interlay, for comparison with the state `without`. */
const PLAIN: readonly NetState[] = ["without"];

const createEndpoint = (kind: BenchEndpointKind, worker: 1 | 2, nic: "main" | "net1" = "main"): Endpoint => ({
  kind,
  worker,
  nic,
});
/** Worker of the target by its title; the source is on worker 1. */
const TARGET_WORKERS = [
  ["same node", 1],
  ["other node", 2],
] as const;

/** All measured paths. The client is pod `a`, the server pod `b`. */
export const NET_PATHS: readonly NetPath[] = [
  ...TARGET_WORKERS.map(([place, worker]): NetPath => ({
    name: `plain macvlan -> plain macvlan, ${place}`,
    states: PLAIN,
    from: createEndpoint("plain-macvlan", 1),
    to: createEndpoint("plain-macvlan", worker),
  })),
  {
    name: "plain net1 -> plain net1, other node",
    states: PLAIN,
    from: createEndpoint("plain-multi", 1, "net1"),
    to: createEndpoint("plain-multi", 2, "net1"),
  },
  ...TARGET_WORKERS.map(([place, worker]): NetPath => ({
    name: `underlay -> overlay, ${place}`,
    states: ALONE,
    from: createEndpoint("underlay", 1),
    to: createEndpoint("overlay", worker),
  })),
  {
    name: "overlay -> underlay, other node",
    states: ALONE,
    from: createEndpoint("overlay", 1),
    to: createEndpoint("underlay", 2),
  },
  {
    name: "underlay -> overlay's Service, other node",
    states: ALONE,
    from: createEndpoint("underlay", 1),
    to: createEndpoint("overlay", 2),
    service: true,
  },
  {
    name: "underlay -> multi-NIC's overlay address, other node",
    states: ALONE,
    from: createEndpoint("underlay", 1),
    to: createEndpoint("multi-nic", 2),
  },
  {
    name: "multi-NIC -> underlay, other node",
    states: ALONE,
    from: createEndpoint("multi-nic", 1),
    to: createEndpoint("underlay", 2),
  },
  ...TARGET_WORKERS.map(([place, worker]): NetPath => ({
    name: `macvlan -> macvlan, ${place}`,
    states: COMPARED,
    from: createEndpoint("underlay", 1),
    to: createEndpoint("underlay", worker),
  })),
  ...TARGET_WORKERS.map(([place, worker]): NetPath => ({
    name: `Calico -> Calico, ${place}`,
    states: COMPARED,
    from: createEndpoint("overlay", 1),
    to: createEndpoint("overlay", worker),
  })),
  {
    name: "Calico -> Calico's Service, other node",
    states: COMPARED,
    from: createEndpoint("overlay", 1),
    to: createEndpoint("overlay", 2),
    service: true,
  },
  {
    name: "net1 -> net1, other node",
    states: COMPARED,
    from: createEndpoint("multi-nic", 1, "net1"),
    to: createEndpoint("multi-nic", 2, "net1"),
  },
];
