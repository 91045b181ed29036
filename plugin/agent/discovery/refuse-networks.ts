import { type Cidr, containsIp, containsNetwork, getFamily, type Ip, parseIp } from "../../datapath/address.ts";
import { type AddressRange, fromNumber, parseRange } from "../../ipam/pool/address-space.ts";
import { isHostCidr } from "./node-addresses.ts";

/** Known networks, addresses and ranges of the underlay. */
export interface UnderlayTopology {
  readonly subnets: readonly { readonly network: Cidr; readonly name: string }[];
  /** Addresses of nodes and gateways; `own` is true for addresses of this node. */
  readonly addresses: readonly { readonly address: Ip; readonly name: string; readonly own: boolean }[];
  /** Ranges of UnderlayPools. */
  readonly ranges: readonly { readonly range: AddressRange; readonly network: Cidr; readonly name: string }[];
}

/**
 * Returns the reason why pods must not reach a network through their node: the route would take traffic off the underlay.
 *
 * A network inside an underlay subnet is refused only if it contains a known address of the underlay: on a flat network (10.0.0.0/8
 * on every link) the overlay and Service networks are inside it as well, and work.
 *
 * @returns undefined if the network may be used
 */
export function refuseNetwork(network: Cidr, topology: UnderlayTopology): string | undefined {
  const family = getFamily(network);
  const knownAddress = topology.addresses.find(
    ({ address }) => getFamily(address) === family && containsIp(network, address),
  );
  if (isHostCidr(network))
    return knownAddress === undefined || knownAddress.own ? undefined : `it is the address of ${knownAddress.name}`;
  const subnet = topology.subnets.find(
    ({ network: subnetNetwork }) => getFamily(subnetNetwork) === family && containsNetwork(network, subnetNetwork),
  );
  if (subnet !== undefined) {
    const relation = subnet.network === network ? "it is" : `it contains ${subnet.network},`;
    return `${relation} the network of ${subnet.name}`;
  }
  if (knownAddress !== undefined) return `it contains ${knownAddress.address}, the address of ${knownAddress.name}`;
  const networkRange = parseRange(network);
  const conflicting = topology.ranges.find(
    ({ range, network: otherNetwork }) =>
      getFamily(otherNetwork) === family && range.first <= networkRange.last && networkRange.first <= range.last,
  );
  if (conflicting === undefined) return undefined;
  const first = conflicting.range.first > networkRange.first ? conflicting.range.first : networkRange.first;
  return `${fromNumber(first, family)} is also an address of ${conflicting.name}`;
}

/** Parses an UnderlayPool's gateway and ranges. Skips invalid ones: IPAM reports them. */
export function parsePoolTopology(pool: {
  readonly name: string;
  readonly network: Cidr;
  readonly ranges: readonly string[];
  readonly gateway?: string | undefined;
}): Pick<UnderlayTopology, "addresses" | "ranges"> {
  const name = `UnderlayPool ${pool.name}`;
  const attempt = <T>(read: () => T): readonly T[] => {
    try {
      return [read()];
    } catch {
      return [];
    }
  };
  const { gateway } = pool;
  return {
    addresses:
      gateway === undefined
        ? []
        : attempt(() => ({ address: parseIp(gateway), name: `the gateway of ${name}`, own: false })),
    ranges: pool.ranges.flatMap((text) => attempt(() => ({ range: parseRange(text), network: pool.network, name }))),
  };
}
