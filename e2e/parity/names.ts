/** What is each cluster's own, by name: value → what stands for it. Addresses, ranges, names of nodes. */
export type NameMap = ReadonlyMap<string, string>;

const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g;
/** A link's name on the node is made from the container's id; Calico's from the pod's name. */
const NODE_LINK = /\b(?:vethil|cali)[0-9a-f]{6,}\b/g;
/** An address is not a part of a longer one: 10.7.168.7 is not in 10.7.168.71. */
const NOT_BEFORE = "(?<![0-9A-Za-z.:-])";
const NOT_AFTER = "(?![0-9A-Za-z:-]|\\.[0-9])";

/** `text` with a word for everything that two clusters cannot have in common, so that what is left must be the same. Pure. */
export function replaceNames(text: string, names: NameMap): string {
  const longest = [...names].filter(([value]) => value !== "").sort(([a], [b]) => b.length - a.length);
  const named = longest.reduce((rest, [value, name]) => {
    const pattern = new RegExp(`${NOT_BEFORE}${value.replaceAll(".", "\\.")}${NOT_AFTER}`, "g");
    return rest.replaceAll(pattern, name);
  }, text);
  return named.replaceAll(MAC, "MAC").replaceAll(NODE_LINK, "NODE-LINK");
}
