import type { Cluster } from "../../../clusters/provider.ts";
import { must, signalAgent } from "../../../e2e/agent-process.ts";
import { switchTo } from "../../../e2e/matrix/variant.ts";

/** What of Interlay the nodes have. `again` is `without` once more: what differs between these two is noise. */
export const STATES = ["without", "again", "notrack", "liberal"] as const;
export type State = (typeof STATES)[number];
/** Nothing of Interlay is on the nodes. */
export const isBare = (state: State): boolean => state === "without" || state === "again";

export const KUBE_PROXY = { version: "v1.29.15", mode: "iptables" } as const;
const TABLE = ["inet", "interlay"] as const;
const RULE = ["priority", "1000", "lookup", "500"] as const;
const LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";

/** Brings the workers into one state or another in milliseconds: the agents are held, and what they made is put by hand. */
export class States {
  readonly #cluster: Cluster;
  readonly #workers: readonly string[];
  /** Each worker's notrack table, in nft's words, as its agent wrote it. */
  readonly #tables: ReadonlyMap<string, string>;

  private constructor(cluster: Cluster, workers: readonly string[], tables: ReadonlyMap<string, string>) {
    this.#cluster = cluster;
    this.#workers = workers;
    this.#tables = tables;
  }

  /** kube-proxy is started while the sysctl is 1, so that its INVALID rule is in none of the states. */
  static async of(cluster: Cluster): Promise<States> {
    const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
    await switchTo(cluster, { kubeProxy: KUBE_PROXY, returnPath: "notrack" });
    const tables = new Map<string, string>();
    for (const node of workers) tables.set(node, await must(cluster, node, ["nft", "-s", "list", "table", ...TABLE]));
    await switchTo(cluster, { kubeProxy: KUBE_PROXY, returnPath: "liberal" });
    for (const node of workers) await signalAgent(cluster, node, "STOP");
    return new States(cluster, workers, tables);
  }

  /** From whatever state there is. */
  async enter(state: State): Promise<void> {
    for (const node of this.#workers) {
      await this.#cluster.exec(node, ["nft", "delete", "table", ...TABLE]);
      await this.#cluster.exec(node, ["ip", "rule", "delete", ...RULE]);
      if (!isBare(state)) await must(this.#cluster, node, ["ip", "rule", "add", ...RULE]);
      if (state === "notrack") await this.#restoreTable(node);
      await must(this.#cluster, node, ["sysctl", "-qw", `${LIBERAL}=${state === "liberal" ? 1 : 0}`]);
    }
  }

  async #restoreTable(node: string): Promise<void> {
    const { exitCode, stderr } = await this.#cluster.exec(node, ["nft", "-f", "-"], {
      stdin: this.#tables.get(node) ?? "",
    });
    if (exitCode !== 0) throw new Error(`the notrack table of ${node} cannot be put back: ${stderr.trim()}`);
  }
}
