import type { PageCell, PageHop, PageHops } from "../html/data.ts";

export interface ShownHop {
  readonly place: string;
  readonly link: string;
  readonly direction: "in" | "out";
  readonly source: string;
  readonly destination: string;
  /** Addresses are others than at the hop before: somebody translated. */
  readonly translated: boolean;
}

export interface ShownPath {
  readonly request: readonly ShownHop[];
  readonly reply: readonly ShownHop[];
}

function parseHops(hops: readonly PageHop[]): readonly ShownHop[] {
  let [source, destination] = ["", ""];
  return hops.map((text, index) => {
    const [place = "", link = "", direction = "", from, to] = text.split("|");
    if (from !== undefined) source = from;
    if (to !== undefined) destination = to;
    const translated = index > 0 && from !== undefined;
    return { place, link, direction: direction === "in" ? "in" : "out", source, destination, translated };
  });
}

const parsePath = ([request, reply]: PageHops): ShownPath => ({ request: parseHops(request), reply: parseHops(reply) });

/** The way that was seen, and the documented one. */
export function readPaths({ path }: PageCell): { readonly seen: ShownPath; readonly expected: ShownPath } | undefined {
  return path && { seen: parsePath(path.seen), expected: parsePath(path.expected ?? path.seen) };
}

export const isSameHop = (a: ShownHop | undefined, b: ShownHop | undefined): boolean =>
  a?.place === b?.place && a?.link === b?.link && a?.direction === b?.direction;
