import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode, signalAgent } from "../../support/agent-process.ts";
import { switchVariant } from "../../deployment/variant.ts";
import { InterlayParts } from "./parts.ts";

/**
 * States of Interlay's configuration. `baseline-repeat` equals `without`; the difference of both is noise. In this order each
 * state follows a different one, because a connection is 1.5 % slower for some time after a change of rules.
 */
export const STATES = ["without", "notrack", "baseline-repeat", "liberal"] as const;
export type NetState = (typeof STATES)[number];
/** Returns whether Interlay's configuration is removed from nodes and pods. */
const isWithout = (state: NetState): boolean => state === "without" || state === "baseline-repeat";

export const KUBE_PROXY = { version: "v1.29.15", mode: "iptables" } as const;
const LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";

/** Switches workers and pods between states in milliseconds: it stops the agents and changes their configuration itself. */
export class NetStates {
  readonly #cluster: Cluster;
  /** Configuration of the workers with return path notrack. */
  readonly #nodes: readonly InterlayParts[];

  private constructor(cluster: Cluster, nodes: readonly InterlayParts[]) {
    this.#cluster = cluster;
    this.#nodes = nodes;
  }

  /** Prepares the states. kube-proxy starts while the sysctl is 1, so that no state has its INVALID rule. */
  static async create(cluster: Cluster): Promise<NetStates> {
    const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
    await switchVariant(cluster, { kubeProxy: KUBE_PROXY, returnPath: "notrack" });
    const nodes = await Promise.all(workers.map((node) => InterlayParts.create(cluster, { node })));
    const unconfigured = nodes.find(({ isEmpty }) => isEmpty);
    if (unconfigured !== undefined)
      throw new Error(`${unconfigured.node} has no configuration of Interlay in its network`);
    // as in the states without Interlay, so that the switch finds the same rules
    for (const node of nodes) await node.configure({ tables: false, rules: true });
    await switchVariant(cluster, { kubeProxy: KUBE_PROXY, returnPath: "liberal" });
    for (const node of workers) await signalAgent(cluster, node, "STOP");
    return new NetStates(cluster, nodes);
  }

  /** Switches to a state. @param pods both ends of the path */
  async enter(state: NetState, pods: readonly InterlayParts[]): Promise<void> {
    const isConfigured = !isWithout(state);
    await Promise.all([
      ...pods.map((pod) => pod.configure({ tables: isConfigured, rules: isConfigured })),
      ...this.#nodes.map(async (node) => {
        await node.configure({ tables: isConfigured, rules: isConfigured });
        await runOnNode(this.#cluster, node.node, ["sysctl", "-qw", `${LIBERAL}=${state === "liberal" ? 1 : 0}`]);
      }),
    ]);
  }
}
