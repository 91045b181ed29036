import type { PageCell, PageHop, PageHops } from "../html/data.ts";

/** A hop of a path with the packet's addresses. */
export interface ShownHop {
  readonly place: string;
  readonly link: string;
  readonly direction: "in" | "out";
  readonly source: string;
  readonly destination: string;
  /** Whether the addresses changed since the previous hop. */
  readonly translated: boolean;
}

/** The hops of a request and its reply. */
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

/** The paths of a cell that the page compares. */
export interface ComparedPaths {
  readonly expected: ShownPath;
  /** Undefined: no trace was made. */
  readonly predicted: ShownPath | undefined;
  readonly seen: ShownPath;
}

/** Reads the paths of a cell; undefined if nothing was captured. */
export function readPaths({ path }: PageCell): ComparedPaths | undefined {
  if (path === undefined) return undefined;
  const seen = parsePath(path.seen);
  const { predicted } = path;
  return {
    expected: path.expected === undefined ? seen : parsePath(path.expected),
    predicted: predicted === "seen" ? seen : predicted && parsePath(predicted),
    seen,
  };
}

export const isSameHop = (first: ShownHop | undefined, second: ShownHop | undefined): boolean =>
  first?.place === second?.place && first?.link === second?.link && first?.direction === second?.direction;
