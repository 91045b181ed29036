import type { NamespaceSnapshot } from "../trace/snapshot.ts";

/** Returns a namespace in which everything that is not given is empty. */
export function makeNamespace(
  properties: Partial<NamespaceSnapshot> & Pick<NamespaceSnapshot, "id" | "kind" | "name">,
): NamespaceSnapshot {
  return {
    links: [],
    addresses: [],
    routes: [],
    rules: [],
    neighbours: [],
    fdb: [],
    sysctls: {},
    nftables: [],
    iptables: "",
    ip6tables: "",
    iptablesLegacy: "",
    ip6tablesLegacy: "",
    ipsets: "",
    conntrack: null,
    listeners: null,
    problems: [],
    ...properties,
  };
}
