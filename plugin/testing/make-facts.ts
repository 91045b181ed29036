import { parseCidr, parseIp } from "../datapath/address.ts";
import { type Facts, FACTS_SCHEMA } from "../datapath/facts.ts";

/**
 * Facts of a node for tests, with the example figures of docs/architecture.md.
 * @param changes replaces whole facts
 */
export function makeFacts(changes: Partial<Facts> = {}): Facts {
  return {
    schema: FACTS_SCHEMA,
    node: { name: "n1", addresses: [parseIp("10.7.168.71")], otherAddresses: [] },
    uplink: "eth0",
    masqueradedCidrs: [],
    overlayCidrs: ["10.233.64.0/18", "fd33:64::/48"].map(parseCidr),
    serviceCidrs: ["10.233.0.0/18", "fd33::/112"].map(parseCidr),
    hijackCidrs: [],
    viaNode: [],
    refusedNetworks: [],
    returnPath: "notrack",
    sources: {},
    ...changes,
  };
}
