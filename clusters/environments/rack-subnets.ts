/** A rack: a subnet of the underlay with its own gateway. */
export interface Rack {
  readonly name: string;
  readonly subnet: string;
  /** The router's address in the rack. */
  readonly gateway: string;
  readonly prefixLength: number;
  /** Range of the rack's underlay pods. */
  readonly podRange: string;
}

/** Node label with the name of a node's rack. */
export const RACK_LABEL = "topology.kubernetes.io/zone";
/** A rack is a /24 of the underlay. */
const PREFIX_LENGTH = 24;
const NAMES = ["rack-1", "rack-2"] as const;

/**
 * Returns the racks of an underlay: the first has the /24 of the nodes, the second the next /24. Pods have the upper half of each.
 *
 * @param nodeRange the range of the cluster's nodes, like 10.7.168.64/26
 */
export function listRacks(nodeRange: string): readonly Rack[] {
  const [a = "", b = "", c = ""] = nodeRange.split(".");
  return NAMES.map((name, index) => {
    const network = `${a}.${b}.${Number(c) + index}`;
    return {
      name,
      subnet: `${network}.0/${PREFIX_LENGTH}`,
      gateway: `${network}.1`,
      prefixLength: PREFIX_LENGTH,
      podRange: `${network}.128/25`,
    };
  });
}

/** Returns the index of a worker's rack. Consecutive workers are in different racks. */
export function findRackOfWorker(worker: number): number {
  return worker % NAMES.length;
}

/**
 * Returns the address that a node has in another rack. Its last octet is the same.
 *
 * @param address address in the first rack
 * @param rack index of the other rack
 */
export function moveToRack(address: string, rack: number): string {
  const [a = "", b = "", c = "", d = ""] = address.split(".");
  return `${a}.${b}.${Number(c) + rack}.${d}`;
}
