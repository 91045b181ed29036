/** A command that prints part of a node's state, and how to get its stable lines from the output. */
export interface NodeSnapshotCommand {
  readonly argv: readonly string[];
  readonly parseLines: (output: string) => readonly string[];
}

/** Lines of iproute2's output, blanks folded. */
export function splitLines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => line !== "");
}

const inBothFamilies = (
  argv: readonly string[],
  parse: NodeSnapshotCommand["parseLines"] = splitLines,
): readonly NodeSnapshotCommand[] =>
  ["-4", "-6"].map((family) => ({ argv: ["ip", family, ...argv], parseLines: parse }));

/** Links, routes, rules and pinned neighbours, in both families; the kernel's own link-local routes left out. */
export const PERMANENT_STATE: readonly NodeSnapshotCommand[] = [
  { argv: ["ip", "-o", "link"], parseLines: (output) => splitLines(output).map((line) => line.split(": ")[1] ?? "") },
  // linkdown: a new pair's carrier comes when the kernel finds time
  ...inBothFamilies(["route", "show", "table", "all"], (output) =>
    splitLines(output)
      .filter((line) => !/^\w+ fe80::/.test(line))
      .map((line) => line.replace(/ linkdown$/, "")),
  ),
  ...inBothFamilies(["rule"]),
  ...inBothFamilies(["neighbour", "show", "nud", "permanent"]),
];

/** The sysctls that a way through a node depends on, every link's. */
export const SYSCTL_STATE: NodeSnapshotCommand = {
  argv: ["sysctl", "-a", "--pattern", "^net[.].*(rp_filter|forward|proxy|arp|accept|liberal)"],
  parseLines: splitLines,
};

/** The packet filter without what counts. */
export const RULESET_STATE: NodeSnapshotCommand = {
  argv: ["nft", "list", "ruleset"],
  parseLines: (output) => splitLines(output.replaceAll(/counter packets \d+ bytes \d+/g, "counter")),
};
