import { type Cidr, containsIp, containsNetwork, getFamily, type Ip, parseIp } from "../../datapath/address.ts";
import { type AddressRange, fromNumber, parseRange } from "../../ipam/pool/address-space.ts";
import { isHostCidr } from "./node-addresses.ts";

/** Known networks, addresses and ranges of the underlay. */
export interface UnderlayTopology {
  readonly subnets: readonly { readonly network: Cidr; readonly name: string }[];
  /** Addresses of nodes and gateways. `own`: the node itself has it. */
  readonly addresses: readonly { readonly address: Ip; readonly name: string; readonly own: boolean }[];
  /** Ranges of UnderlayPools. */
  readonly ranges: readonly { readonly range: AddressRange; readonly network: Cidr; readonly name: string }[];
}

/**
 * Returns why pods must not reach a network through their node: the route would take traffic off the underlay.
 *
 * A network inside an underlay subnet is refused only if it contains a known address of the underlay: on a flat network (10.0.0.0/8
 * on every link) the overlay and Service networks are inside it as well, and work.
 *
 * @returns undefined if the network may be used
 */
export function refuseNetwork(network: Cidr, wire: UnderlayTopology): string | undefined {
  const family = getFamily(network);
  const held = wire.addresses.find(({ address }) => getFamily(address) === family && containsIp(network, address));
  if (isHostCidr(network)) return held === undefined || held.own ? undefined : `it is the address of ${held.name}`;
  const subnet = wire.subnets.find((one) => getFamily(one.network) === family && containsNetwork(network, one.network));
  if (subnet !== undefined) {
    const relation = subnet.network === network ? "it is" : `it contains ${subnet.network},`;
    return `${relation} the network of ${subnet.name}`;
  }
  if (held !== undefined) return `it contains ${held.address}, the address of ${held.name}`;
  const own = parseRange(network);
  const conflicting = wire.ranges.find(
    ({ range, network: otherNetwork }) =>
      getFamily(otherNetwork) === family && range.first <= own.last && own.first <= range.last,
  );
  if (conflicting === undefined) return undefined;
  const first = conflicting.range.first > own.first ? conflicting.range.first : own.first;
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
