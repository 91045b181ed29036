/** Returns the packets that each Calico chain of a workload dropped as INVALID, from `iptables-save -c`, by the chain's name. */
export function countCalicoInvalidDrops(saved: string): ReadonlyMap<string, number> {
  const drops = saved.matchAll(/^\[(\d+):\d+\] -A (cali-[tf]w-\S+) .*--ctstate INVALID .*-j DROP/gm);
  return new Map([...drops].map(([, packets = "0", chain = ""]) => [chain, Number(packets)]));
}

/** Returns the chains whose count has grown, each with the difference. */
export function diffCounters(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): readonly string[] {
  return [...now].flatMap(([chain, packets]) => {
    const growth = packets - (before.get(chain) ?? 0);
    return growth > 0 ? [`${chain}: ${growth}`] : [];
  });
}

/** Returns the listing of a table without its counters. */
export const stripCounters = (listing: string): string =>
  listing.replaceAll(/counter packets \d+ bytes \d+/g, "counter");
