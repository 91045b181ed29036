import { getIpFamily } from "../../spec/address-ranges.ts";

/** Annotation of a LoadBalancer Service: the name of the node that holds its addresses. Absent: the first worker. */
export const HOLDER_ANNOTATION = "lab.interlay.dev/held-by";

/** The fields of a Service that the load balancer reads. */
export interface BalancedService {
  readonly namespace: string;
  readonly name: string;
  readonly holder: string | undefined;
  readonly ipFamilies: readonly ("IPv4" | "IPv6")[];
  /** status.loadBalancer.ingress[].ip */
  readonly ingress: readonly string[];
  /** spec.externalIPs */
  readonly externalIps: readonly string[];
}

/** All addresses of a Service, and the node that must hold them. */
export interface BalancedAddresses extends Pick<BalancedService, "namespace" | "name"> {
  readonly node: string;
  readonly ingress: readonly string[];
  readonly externalIps: readonly string[];
  /** Whether the Service lacks one of them. */
  readonly changed: boolean;
}

/**
 * Plans an ingress address and an external IP of each family for every LoadBalancer Service. A Service keeps the addresses
 * that it has; a missing one is the first free address of the range. Pure.
 *
 * @param nodes names of the nodes; the first holds the addresses of Services without an annotation
 * @param getAddress returns the n-th address of the load balancer's range
 */
export function planBalancedAddresses(
  services: readonly BalancedService[],
  nodes: readonly string[],
  getAddress: (family: "IPv4" | "IPv6", index: number) => string,
): readonly BalancedAddresses[] {
  const taken = new Set(services.flatMap(({ ingress, externalIps }) => [...ingress, ...externalIps]));
  const takeFreeAddress = (family: "IPv4" | "IPv6"): string => {
    let index = 0;
    while (taken.has(getAddress(family, index))) index += 1;
    const address = getAddress(family, index);
    taken.add(address);
    return address;
  };
  return services.flatMap((service) => {
    const node = service.holder ?? nodes[0];
    if (node === undefined || !nodes.includes(node)) return [];
    const addMissingAddresses = (addresses: readonly string[]) => [
      ...addresses,
      ...service.ipFamilies
        .filter((family) => !addresses.some((address) => getIpFamily(address) === family.toLowerCase()))
        .map(takeFreeAddress),
    ];
    const [ingress, externalIps] = [addMissingAddresses(service.ingress), addMissingAddresses(service.externalIps)];
    const changed = ingress.length > service.ingress.length || externalIps.length > service.externalIps.length;
    return [{ namespace: service.namespace, name: service.name, node, ingress, externalIps, changed }];
  });
}

/** Third byte of the range's IPv4 addresses, which neither nodes nor pods of a lab use. */
const RANGE = 210;
/** Number of the range's first address. */
const FIRST = 10;

/**
 * Returns the n-th address of the load balancer's range on the underlay.
 *
 * @param nodeAddress any address of a node on the underlay
 * @param gateway6 the underlay's IPv6 gateway, which ends in `::1`
 */
export function findVirtualAddress(
  family: "IPv4" | "IPv6",
  index: number,
  nodeAddress: string,
  gateway6: string | undefined,
): string {
  if (family === "IPv6") return (gateway6 ?? "").replace(/::1$/, `::${RANGE}:${FIRST + index}`);
  const [a = "", b = ""] = nodeAddress.split(".");
  return `${a}.${b}.${RANGE}.${FIRST + index}`;
}
