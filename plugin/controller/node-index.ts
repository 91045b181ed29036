import { type Cidr, type Family, getFamily, type Ip } from "../datapath/address.ts";
import { parseRange, toNumber } from "../ipam/pool/address-space.ts";
import { findFirstIndex } from "../ipam/pool/find-first-index.ts";
import type { PoolOnNode } from "../agent/reconcile/choose-return-path.ts";

/** Addresses of one family. */
interface FamilyIndex {
  /** `n2 (10.8.0.72)` of each node with an address, sorted. */
  readonly nodes: readonly string[];
  /** Sorted by number. */
  readonly addresses: readonly { readonly number: bigint; readonly node: string }[];
}

/** Nodes by their addresses, so that those outside of many subnets are counted without a look at each. */
export class NodeIndex {
  readonly #families: Readonly<Record<Family, FamilyIndex>>;

  constructor(nodes: readonly { readonly name: string; readonly addresses: readonly Ip[] }[]) {
    const index = (family: Family): FamilyIndex => {
      const addresses = nodes.flatMap(({ name, addresses: all }) => {
        const own = all.filter((address) => getFamily(address) === family);
        return own.map((address) => ({ number: toNumber(address), node: `${name} (${own[0] ?? address})` }));
      });
      return {
        nodes: [...new Set(addresses.map(({ node }) => node))].sort(),
        addresses: addresses.sort((a, b) => (a.number < b.number ? -1 : 1)),
      };
    };
    this.#families = { ipv4: index("ipv4"), ipv6: index("ipv6") };
  }

  /** Counts the nodes that have an address of the subnet's family, but none in the subnet. */
  countOutside(subnet: Cidr): PoolOnNode["nodesOutside"] {
    const { nodes, addresses } = this.#families[getFamily(subnet)];
    const { first, last } = parseRange(subnet);
    const found = addresses.slice(findFirstIndex(addresses, first), findFirstIndex(addresses, last + 1n));
    const inside = new Set(found.map(({ node }) => node));
    return { count: nodes.length - inside.size, example: nodes.find((node) => !inside.has(node)) ?? "" };
  }
}
