import { type Cidr, type Family, getFamily, removeNestedCidrs, parseCidr } from "../../datapath/address.ts";
import { fromNumber, parseRange } from "../../ipam/pool/address-space.ts";

/**
 * Joins adjacent networks into the fewest that hold the same addresses, so that the number of routes does not grow with the
 * number of nodes.
 */
export function mergeNetworks(networks: readonly Cidr[]): readonly Cidr[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) =>
    mergeFamily(family, removeNestedCidrs(networks.filter((cidr) => getFamily(cidr) === family))),
  );
}

function mergeFamily(family: Family, networks: readonly Cidr[]): readonly Cidr[] {
  const bits = family === "ipv4" ? 32 : 128;
  const sorted = networks
    .map((cidr) => ({ base: parseRange(cidr).first, length: Number(cidr.split("/")[1]) }))
    .sort((a, b) => (a.base < b.base ? -1 : 1));
  const merged: { base: bigint; length: number }[] = [];
  for (let next of sorted) {
    for (let last = merged.at(-1); last?.length === next.length && last.length > 1; last = merged.at(-1)) {
      const size = 1n << BigInt(bits - next.length);
      if (last.base + size !== next.base || last.base % (2n * size) !== 0n) break;
      merged.pop();
      next = { base: last.base, length: last.length - 1 };
    }
    merged.push(next);
  }
  return merged.map(({ base, length }) => parseCidr(`${fromNumber(base, family)}/${length}`));
}
