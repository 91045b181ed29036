import type { CapturePoint } from "./capture.ts";

/** One place where a packet was seen. */
export interface Hop {
  /** A pod's name, or `node-1`, `node-2`, … `control-plane`. */
  readonly place: string;
  /** In a pod the link's name; on a node its kind: `cali`, `veth` (Interlay's), `vxlan`, `wire`, `wire (vxlan)`. */
  readonly link: string;
  readonly direction: "in" | "out";
}

export interface SeenHop extends Hop {
  readonly source: string;
  readonly destination: string;
}

export interface PacketPath {
  readonly request: readonly SeenHop[];
  readonly reply: readonly SeenHop[];
}

/** Names of places, and the nodes of addresses: a frame that a bridge floods to another node does not count as a hop. */
export interface PlaceNames {
  /** Name of a capture point's place in paths. */
  name(place: string): string;
  /** Whether the place is a node. */
  isNode(place: string): boolean;
  /** Node on which the owner of an address runs; undefined for an unknown address. */
  findNode(address: string): string | undefined;
}

/** Returns the path of every probe by its token, in the order of the kernel's clock. */
export function collectPaths(points: readonly CapturePoint[], places: PlaceNames): ReadonlyMap<string, PacketPath> {
  const observations = points
    .flatMap(({ place, links, packets }) =>
      packets.map((seen) => ({ place, link: links.get(seen.interfaceIndex) ?? "?", seen })),
    )
    .filter(({ place, seen }) => {
      if (!seen.otherHost || !places.isNode(place)) return true;
      return places.findNode(getHost(seen.destination)) === place;
    })
    .sort((a, b) => (a.seen.time < b.seen.time ? -1 : a.seen.time > b.seen.time ? 1 : 0));
  const paths = new Map<string, { request: SeenHop[]; reply: SeenHop[] }>();
  for (const { place, link, seen } of observations) {
    const path = paths.get(seen.token) ?? { request: [], reply: [] };
    paths.set(seen.token, path);
    const hop: SeenHop = {
      place: places.name(place),
      link: places.isNode(place) ? classifyNodeLink(link, seen.encapsulated) : link,
      direction: seen.direction,
      source: seen.source,
      destination: seen.destination,
    };
    const list = path[seen.kind];
    if (!list.some((listedHop) => areSameHops(listedHop, hop))) list.push(hop); // a retransmission has no hop of its own
  }
  return paths;
}

/** Whether two hops have the same link and direction. */
export const areSameHops = (a: Hop, b: Hop): boolean =>
  a.place === b.place && a.link === b.link && a.direction === b.direction;

/** Returns the host of `10.0.0.1:80`, `[fd00::1]:80` or `fd00::1`. */
export const getHost = (address: string): string =>
  /^\[(.*)\]/.exec(address)?.[1] ?? address.replace(/^([^:]*):\d+$/, "$1");

/** Returns the kind of a node's link, as in `Hop`. @param encapsulated whether the packet is inside a tunnel's packet */
export function classifyNodeLink(name: string, encapsulated: boolean): string {
  if (name.startsWith("cali")) return "cali";
  if (name.startsWith("vethil")) return "veth";
  if (name.startsWith("vxlan")) return "vxlan";
  if (name === "lo") return "lo";
  return encapsulated ? "wire (vxlan)" : "wire";
}

/** Returns `node-1 veth in` for a hop. */
export const formatHop = ({ place, link, direction }: Hop): string => `${place} ${link} ${direction}`;
