/** A program that tells what a node has, and what of its words stays the same while nothing changes. */
export interface NodeLook {
  readonly argv: readonly string[];
  readonly lines: (said: string) => readonly string[];
}

/** Lines of iproute2's output, blanks folded. */
export function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => line !== "");
}

const inBothFamilies = (argv: readonly string[], of: NodeLook["lines"] = lines): readonly NodeLook[] =>
  ["-4", "-6"].map((family) => ({ argv: ["ip", family, ...argv], lines: of }));

/** Links, routes, rules and pinned neighbours, in both families; the kernel's own link-local routes left out. */
export const PERMANENT: readonly NodeLook[] = [
  { argv: ["ip", "-o", "link"], lines: (said) => lines(said).map((line) => line.split(": ")[1] ?? "") },
  // linkdown: a new pair's carrier comes when the kernel finds time
  ...inBothFamilies(["route", "show", "table", "all"], (said) =>
    lines(said)
      .filter((line) => !/^\w+ fe80::/.test(line))
      .map((line) => line.replace(/ linkdown$/, "")),
  ),
  ...inBothFamilies(["rule"]),
  ...inBothFamilies(["neighbour", "show", "nud", "permanent"]),
];

/** The sysctls that a way through a node depends on, every link's. */
export const SYSCTLS: NodeLook = {
  argv: ["sysctl", "-a", "--pattern", "^net[.].*(rp_filter|forward|proxy|arp|accept|liberal)"],
  lines,
};

/** The packet filter without what counts. */
export const RULESET: NodeLook = {
  argv: ["nft", "list", "ruleset"],
  lines: (said) => lines(said.replaceAll(/counter packets \d+ bytes \d+/g, "counter")),
};
