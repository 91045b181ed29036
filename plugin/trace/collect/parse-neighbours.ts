import type { z } from "zod";
import type { FdbEntrySnapshot, NeighbourSnapshot } from "../snapshot.ts";
import type { bridgeFdb, ipNeighbours } from "./ip-output.ts";

/** Returns the entries of `ip -j neighbour show`, without entries that are for every link. */
export function parseNeighbours(entries: z.infer<typeof ipNeighbours>): NeighbourSnapshot[] {
  return entries.flatMap(({ dst, dev, lladdr, state = [], proxy }): NeighbourSnapshot[] =>
    dev === undefined
      ? []
      : [
          {
            family: dst.includes(":") ? "ipv6" : "ipv4",
            address: dst,
            link: dev,
            ...(lladdr === undefined ? {} : { mac: lladdr }),
            state,
            proxy: proxy !== undefined,
          },
        ],
  );
}

/** Returns the entries of `bridge -j fdb show`, without multicast addresses. */
export function parseFdb(entries: z.infer<typeof bridgeFdb>): FdbEntrySnapshot[] {
  return entries
    .filter(({ mac }) => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0)
    .map(({ mac, ifname, dst, vlan, state }) => ({
      mac,
      link: ifname,
      ...(dst === undefined ? {} : { destination: dst }),
      ...(vlan === undefined ? {} : { vlan }),
      ...(state === undefined ? {} : { state }),
    }));
}
