/** Placeholders by the text that they replace: addresses, ranges and names of nodes, which differ between clusters. */
export type NameMap = ReadonlyMap<string, string>;

const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g;
/** Names of links on a node: Interlay's from the container's id, Calico's from the pod's name. */
const NODE_LINK = /\b(?:vethil|cali)[0-9a-f]{6,}\b/g;
/** Characters that continue an address: 10.7.168.7 must not match in 10.7.168.71. */
const NOT_BEFORE = "(?<![0-9A-Za-z.:-])";
const NOT_AFTER = "(?![0-9A-Za-z:-]|\\.[0-9])";

/** Replaces everything that two clusters cannot have in common by placeholders, so that the rest must be equal. Pure. */
export function replaceNames(text: string, names: NameMap): string {
  const longest = [...names].filter(([value]) => value !== "").sort(([a], [b]) => b.length - a.length);
  const replaced = longest.reduce((current, [value, name]) => {
    const pattern = new RegExp(`${NOT_BEFORE}${value.replaceAll(".", "\\.")}${NOT_AFTER}`, "g");
    return current.replaceAll(pattern, name);
  }, text);
  return replaced.replaceAll(MAC, "MAC").replaceAll(NODE_LINK, "NODE-LINK");
}
