/** Packets that Calico's chains of one workload have dropped as INVALID, by `iptables-save -c`. Each is a chain's name. */
export function calicoInvalidDrops(saved: string): ReadonlyMap<string, number> {
  const drops = saved.matchAll(/^\[(\d+):\d+\] -A (cali-[tf]w-\S+) .*--ctstate INVALID .*-j DROP/gm);
  return new Map([...drops].map(([, packets = "0", chain = ""]) => [chain, Number(packets)]));
}

/** Chains whose count has grown, with by how much. */
export function diffCounters(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): readonly string[] {
  return [...now].flatMap(([chain, packets]) => {
    const more = packets - (before.get(chain) ?? 0);
    return more > 0 ? [`${chain}: ${more}`] : [];
  });
}

/** A table's listing without what counts. */
export const stripCounters = (listing: string): string =>
  listing.replaceAll(/counter packets \d+ bytes \d+/g, "counter");
