import type { Cluster } from "../../../clusters/provider.ts";
import { execOrThrow } from "../../support/agent-process.ts";

const TABLE = ["inet", "interlay"] as const;
/** The kernel's own three. */
const KERNELS: readonly string[] = ["0", "32766", "32767"];
const WORDS = /^(?<priority>\d+):\s+(?<selector>.*)$/;

/** Where: a node's own network, or that of one of its pods. */
interface PartLocation {
  readonly node: string;
  readonly netns?: string;
}

/** What of Interlay is on the way of a packet in one network namespace: its nft table and its policy rules, in or out. */
export class InterlayParts {
  readonly node: string;
  readonly #cluster: Cluster;
  readonly #enter: readonly string[];
  /** In nft's words; undefined: it has none. */
  readonly #table: string | undefined;
  /** In ip's words, after `rule add`. */
  readonly #rules: readonly string[];
  #in = { table: true, rules: true };

  private constructor(cluster: Cluster, node: string, enter: readonly string[], table: string, rules: string) {
    this.#cluster = cluster;
    this.node = node;
    this.#enter = enter;
    this.#table = table === "" ? undefined : table;
    this.#rules = parsePolicyRules(rules);
  }

  /** As they are now: all in. */
  static async of(cluster: Cluster, { node, netns }: PartLocation): Promise<InterlayParts> {
    const enter = netns === undefined ? [] : ["nsenter", `--net=${netns}`, "--"];
    const { stdout: table } = await cluster.exec(node, [...enter, "nft", "-s", "list", "table", ...TABLE]);
    return new InterlayParts(
      cluster,
      node,
      enter,
      table,
      await execOrThrow(cluster, node, [...enter, "ip", "rule", "list"]),
    );
  }

  /** There is nothing to take out. */
  get areNone(): boolean {
    return this.#table === undefined && this.#rules.length === 0;
  }

  async put(wanted: { readonly table: boolean; readonly rules: boolean }): Promise<void> {
    const { table, rules } = this.#in;
    if (this.#table !== undefined && wanted.table !== table)
      await this.#give(["nft", "-f", "-"], wanted.table ? this.#table : `delete table ${TABLE.join(" ")}\n`);
    if (this.#rules.length > 0 && wanted.rules !== rules) {
      const verb = wanted.rules ? "add" : "delete";
      await this.#give(["ip", "-batch", "-"], this.#rules.map((rule) => `rule ${verb} ${rule}\n`).join(""));
    }
    this.#in = { ...wanted };
  }

  async #give(argv: readonly string[], stdin: string): Promise<void> {
    await execOrThrow(this.#cluster, this.node, [...this.#enter, ...argv], { stdin });
  }
}

/** What `ip rule list` says that is not the kernel's, as `ip rule add` and `delete` take it. Pure. */
export function parsePolicyRules(listed: string): readonly string[] {
  return listed.split("\n").flatMap((line) => {
    const { priority, selector } = WORDS.exec(line)?.groups ?? {};
    if (priority === undefined || selector === undefined || KERNELS.includes(priority)) return [];
    return [`priority ${priority} ${selector.trim()}`];
  });
}
