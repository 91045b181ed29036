import type { PageCell, PageHop, PageHops } from "../html/data.ts";

export interface Hop {
  readonly place: string;
  readonly link: string;
  readonly direction: "in" | "out";
  readonly source: string;
  readonly destination: string;
  /** Addresses are others than at the hop before: somebody translated. */
  readonly translated: boolean;
}

export interface Way {
  readonly request: readonly Hop[];
  readonly reply: readonly Hop[];
}

function read(hops: readonly PageHop[]): readonly Hop[] {
  let [source, destination] = ["", ""];
  return hops.map((text, index) => {
    const [place = "", link = "", direction = "", from, to] = text.split("|");
    if (from !== undefined) source = from;
    if (to !== undefined) destination = to;
    const translated = index > 0 && from !== undefined;
    return { place, link, direction: direction === "in" ? "in" : "out", source, destination, translated };
  });
}

const wayOf = ([request, reply]: PageHops): Way => ({ request: read(request), reply: read(reply) });

/** The way that was seen, and the documented one. */
export function waysOf({ path }: PageCell): { readonly seen: Way; readonly expected: Way } | undefined {
  return path && { seen: wayOf(path.seen), expected: wayOf(path.expected ?? path.seen) };
}

export const sameHop = (a: Hop | undefined, b: Hop | undefined): boolean =>
  a?.place === b?.place && a?.link === b?.link && a?.direction === b?.direction;
