import { type Cidr, type Family, getFamily, type Ip } from "../datapath/address.ts";
import { parseRange, toNumber } from "../ipam/pool/address-space.ts";
import { findFirstIndex } from "../ipam/pool/find-first-index.ts";
import type { PoolOnNode } from "../agent/reconcile/choose-return-path.ts";

/** Addresses of one family. */
interface FamilyIndex {
  /** Each node with an address, such as `n2 (10.8.0.72)`, sorted. */
  readonly nodes: readonly string[];
  /** Addresses sorted by number. */
  readonly addresses: readonly { readonly number: bigint; readonly node: string }[];
}

/** Index of nodes by address: counts the nodes outside of a subnet without checking each node. */
export class NodeIndex {
  readonly #families: Readonly<Record<Family, FamilyIndex>>;

  constructor(nodes: readonly { readonly name: string; readonly addresses: readonly Ip[] }[]) {
    const buildIndex = (family: Family): FamilyIndex => {
      const addresses = nodes.flatMap(({ name, addresses: nodeAddresses }) => {
        const familyAddresses = nodeAddresses.filter((address) => getFamily(address) === family);
        return familyAddresses.map((address) => ({
          number: toNumber(address),
          node: `${name} (${familyAddresses[0] ?? address})`,
        }));
      });
      return {
        nodes: [...new Set(addresses.map(({ node }) => node))].sort(),
        addresses: addresses.sort((a, b) => (a.number < b.number ? -1 : 1)),
      };
    };
    this.#families = { ipv4: buildIndex("ipv4"), ipv6: buildIndex("ipv6") };
  }

  /** Counts the nodes that have an address of the subnet's family, but none in the subnet. */
  countOutside(subnet: Cidr): PoolOnNode["nodesOutside"] {
    const { nodes, addresses } = this.#families[getFamily(subnet)];
    const { first, last } = parseRange(subnet);
    const inSubnet = addresses.slice(findFirstIndex(addresses, first), findFirstIndex(addresses, last + 1n));
    const inside = new Set(inSubnet.map(({ node }) => node));
    return { count: nodes.length - inside.size, example: nodes.find((node) => !inside.has(node)) ?? "" };
  }
}
