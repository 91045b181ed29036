import type { Facts } from "../datapath/facts.ts";
import { NetworkNamespace } from "../datapath/kernel.ts";
import { CniError, CODE } from "./error.ts";
import { loadFacts } from "./load-facts.ts";

/**
 * Executes STATUS (CNI spec 1.1.0, section 2): checks that ADD can be served.
 *
 * @throws CniError 50 if the facts are missing or stale
 */
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
      "A running agent rewrites it: see `kubectl -n interlay-system get pods -o wide`.",
    );
}

/** Describes the first fact that the kernel contradicts; undefined if no fact is stale. */
function findStaleFact({ uplink, node: { addresses } }: Facts): string | undefined {
  const node = new NetworkNamespace();
  try {
    if (node.findLink(uplink) === undefined) return `the node has no link ${uplink}, the uplink`;
    const present = new Set(node.listAddresses().map(({ address }) => address));
    const missing = addresses.find((address) => !present.has(address));
    return missing === undefined ? undefined : `${missing} is not an address of the node`;
  } finally {
    node.close();
  }
}
