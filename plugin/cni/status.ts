import type { Facts } from "../datapath/facts.ts";
import { Namespace } from "../datapath/kernel.ts";
import { CniError, CODE } from "./error.ts";
import { loadFacts } from "./load-facts.ts";

/** CNI spec 1.1.0, section 2 "STATUS": can ADD be served? Throws CniError with code 50 if facts are missing, or not this node's any more. */
export function cmdStatus(factsFile: string): void {
  let facts: Facts;
  try {
    facts = loadFacts(factsFile);
  } catch (error) {
    if (error instanceof CniError) throw new CniError(CODE.notAvailable, error.message, error.details);
    throw error;
  }
  const stale = findStaleFact(facts);
  if (stale !== undefined)
    throw new CniError(
      CODE.notAvailable,
      `${factsFile} is stale: ${stale}`,
      "The agent writes it anew while it runs: see `kubectl -n interlay-system get pods -o wide`.",
    );
}

/** What the kernel says otherwise. */
function findStaleFact({ uplink, node: { addresses } }: Facts): string | undefined {
  const node = new Namespace();
  try {
    if (node.findLink(uplink) === undefined) return `the node has no link ${uplink}, the uplink`;
    const there = new Set(node.addresses().map(({ address }) => address));
    const gone = addresses.find((address) => !there.has(address));
    return gone === undefined ? undefined : `${gone} is none of the node's addresses`;
  } finally {
    node.close();
  }
}
