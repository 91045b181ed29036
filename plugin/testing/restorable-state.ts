/** A command that prints part of a node's state, and a parser of its stable lines. */
export interface NodeSnapshotCommand {
  readonly argv: readonly string[];
  readonly parseLines: (output: string) => readonly string[];
}

/** Splits the output of iproute2 into lines with single blanks. */
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

/** Links, routes, rules and permanent neighbours of both families, without the kernel's link-local routes. */
export const PERMANENT_STATE: readonly NodeSnapshotCommand[] = [
  { argv: ["ip", "-o", "link"], parseLines: (output) => splitLines(output).map((line) => line.split(": ")[1] ?? "") },
  // linkdown: the carrier of a new pair is set asynchronously
  ...inBothFamilies(["route", "show", "table", "all"], (output) =>
    splitLines(output)
      .filter((line) => !/^\w+ fe80::/.test(line))
      .map((line) => line.replace(/ linkdown$/, "")),
  ),
  ...inBothFamilies(["rule"]),
  ...inBothFamilies(["neighbour", "show", "nud", "permanent"]),
];

/** Sysctls of all links that affect forwarding. */
export const SYSCTL_STATE: NodeSnapshotCommand = {
  argv: ["sysctl", "-a", "--pattern", "^net[.].*(rp_filter|forward|proxy|arp|accept|liberal)"],
  parseLines: splitLines,
};

/** The nftables ruleset without counters. */
export const RULESET_STATE: NodeSnapshotCommand = {
  argv: ["nft", "list", "ruleset"],
  parseLines: (output) => splitLines(output.replaceAll(/counter packets \d+ bytes \d+/g, "counter")),
};
