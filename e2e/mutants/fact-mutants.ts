import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";
import type { Variant } from "../cells/gate.ts";
import { configureAgents } from "../deployment/variant.ts";
import { getExternalHost } from "../deployment/deploy.ts";

type Undo = () => Promise<void>;

/** A wrong or missing fact of one node: cells of the pods that are attached by it must fail. */
export interface FactMutant {
  readonly title: string;
  readonly reason: string;
  /** Changes the fact, and waits until the agent uses it. @returns a function that undoes it */
  readonly make: (cluster: Cluster, node: string) => Promise<Undo>;
  /** Return path of the node with this fact, from which the gate decides the cells that fail; undefined: cells of its own pods fail. */
  readonly returnPath?: Variant["returnPath"];
  readonly allowedBecause?: string;
}

/** Overrides the fact in ConfigMap interlay-config, only for this node. */
function overrideSetting(key: string, value: string): Pick<FactMutant, "make"> {
  return {
    make: async (cluster, node) => {
      await configureAgents(cluster, { [`${node}.${key}`]: value });
      return () => configureAgents(cluster, { [`${node}.${key}`]: null });
    },
  };
}

/** Replaces the node's IPv4 address. */
function overrideNodeAddress(find: (cluster: Cluster, node: string) => Promise<string>): Pick<FactMutant, "make"> {
  return {
    make: async (cluster, name) => {
      const { address6 } = cluster.nodes.find((node) => node.name === name) ?? {};
      const wrongAddress = await find(cluster, name);
      return overrideSetting(
        "nodeAddresses",
        [wrongAddress, ...(address6 === undefined ? [] : [address6])].join(),
      ).make(cluster, name);
    },
  };
}

const findOtherAddress = (cluster: Cluster, node: string): Promise<string> =>
  Promise.resolve(cluster.nodes.find(({ role, name }) => role === "worker" && name !== node)?.address ?? "");

async function findTunnelAddress(cluster: Cluster, node: string): Promise<string> {
  const output = await runOnNode(cluster, node, ["ip", "-4", "-o", "address", "show", "dev", "vxlan.calico"]);
  return / inet ([\d.]+)\//.exec(output)?.[1] ?? "";
}

/** A mutant of every fact that the plugin or the return path uses. Documentation networks (RFC 5737, RFC 3849) have no hosts. */
export const FACT_MUTANTS: readonly FactMutant[] = [
  {
    title: "fact: overlayCidrs are others",
    reason: "pods reach the overlay by their node",
    ...overrideSetting("overlayCidrs", "198.51.100.0/24,2001:db8:64::/64"),
  },
  {
    title: "fact: serviceCidrs are others",
    reason: "pods reach Services by their node",
    ...overrideSetting("serviceCidrs", "198.51.100.0/24,2001:db8:64::/64"),
  },
  {
    title: "fact: returnPath is none, below v1.29",
    reason: "without a return path kube-proxy drops what it calls INVALID",
    returnPath: "none",
    ...overrideSetting("returnPath", "none"),
  },
  {
    title: "fact: returnPath is liberal, below v1.29",
    reason: "before v1.29 kube-proxy drops what it calls INVALID whatever the sysctl is",
    returnPath: "liberal",
    ...overrideSetting("returnPath", "liberal"),
  },
  {
    title: "fact: the node's address is another node's",
    reason: "pods reach their node by its own address",
    ...overrideNodeAddress(findOtherAddress),
  },
  {
    title: "fact: the node's address is its tunnel's (spiderpool issue 3359: a wrong gateway is picked)",
    reason: "the gateway is Kubernetes' node address, not the first address of a link",
    ...overrideNodeAddress(findTunnelAddress),
  },
  {
    title: "fact: the uplink is another",
    reason: "STATUS reports to a runtime that no pod can be attached",
    allowedBecause: "no route depends on it: STATUS needs it, which another test shows",
    ...overrideSetting("uplink", "nolink0"),
  },
  {
    title: "fact: hijackCidrs has the world outside",
    reason: "these destinations are routed through the node, whose conntrack sees one direction",
    make: async (cluster, node) => {
      const { address } = getExternalHost(await cluster.external());
      return overrideSetting("hijackCidrs", `${address}/32`).make(cluster, node);
    },
  },
];
