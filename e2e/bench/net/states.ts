import type { Cluster } from "../../../clusters/provider.ts";
import { execOrThrow, signalAgent } from "../../support/agent-process.ts";
import { switchVariant } from "../../matrix/variant.ts";
import { InterlayParts } from "./parts.ts";

/**
 * What of Interlay is there. `again` is `without` once more: what differs between these two is noise. In this order round
 * and round, each state follows one that is different: after a change of rules a stream is slower for a while, at 1.5 %.
 */
export const STATES = ["without", "notrack", "again", "liberal"] as const;
export type NetState = (typeof STATES)[number];
/** Nothing of Interlay, neither on the nodes nor in the pods. */
const isBare = (state: NetState): boolean => state === "without" || state === "again";

export const KUBE_PROXY = { version: "v1.29.15", mode: "iptables" } as const;
const LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";

/** Brings workers and pods into one state or another in milliseconds: the agents are held, and what they made is put by hand. */
export class NetStates {
  readonly #cluster: Cluster;
  /** Of the workers, in return path notrack. */
  readonly #nodes: readonly InterlayParts[];

  private constructor(cluster: Cluster, nodes: readonly InterlayParts[]) {
    this.#cluster = cluster;
    this.#nodes = nodes;
  }

  /** kube-proxy is started while the sysctl is 1, so that its INVALID rule is in none of the states. */
  static async of(cluster: Cluster): Promise<NetStates> {
    const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
    await switchVariant(cluster, { kubeProxy: KUBE_PROXY, returnPath: "notrack" });
    const nodes = await Promise.all(workers.map((node) => InterlayParts.of(cluster, { node })));
    const without = nodes.find(({ areNone }) => areNone);
    if (without !== undefined) throw new Error(`${without.node} has nothing of Interlay in its network`);
    // what the switch does, too, so that they know it
    for (const node of nodes) await node.put({ table: false, rules: true });
    await switchVariant(cluster, { kubeProxy: KUBE_PROXY, returnPath: "liberal" });
    for (const node of workers) await signalAgent(cluster, node, "STOP");
    return new NetStates(cluster, nodes);
  }

  /** From whatever state there is. @param pods the two ends */
  async enter(state: NetState, pods: readonly InterlayParts[]): Promise<void> {
    const isThere = !isBare(state);
    await Promise.all([
      ...pods.map((pod) => pod.put({ table: isThere, rules: isThere })),
      ...this.#nodes.map(async (node) => {
        await node.put({ table: isThere, rules: isThere });
        await execOrThrow(this.#cluster, node.node, ["sysctl", "-qw", `${LIBERAL}=${state === "liberal" ? 1 : 0}`]);
      }),
    ]);
  }
}
