import type { Cluster } from "../../../clusters/provider/provider.ts";
import { execOrThrow } from "../../support/agent-process.ts";

const TABLE = ["inet", "interlay"] as const;
/** Priorities of the kernel's default rules. */
const KERNEL_PRIORITIES: readonly string[] = ["0", "32766", "32767"];
const RULE_LINE = /^(?<priority>\d+):\s+(?<selector>.*)$/;

/** Network of a node, or of one of its pods. */
interface PartLocation {
  readonly node: string;
  readonly netns?: string;
}

/** Interlay's nft table and policy rules in a network namespace, which can be removed and added again. */
export class InterlayParts {
  readonly node: string;
  readonly #cluster: Cluster;
  readonly #enter: readonly string[];
  /** The table in nft syntax; undefined if it does not exist. */
  readonly #table: string | undefined;
  /** Arguments of `ip rule add`. */
  readonly #rules: readonly string[];
  #present = { table: true, rules: true };

  private constructor(cluster: Cluster, node: string, enter: readonly string[], table: string, rules: string) {
    this.#cluster = cluster;
    this.node = node;
    this.#enter = enter;
    this.#table = table === "" ? undefined : table;
    this.#rules = parsePolicyRules(rules);
  }

  /** Reads the present configuration. */
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

  /** Whether the namespace has no configuration of Interlay. */
  get isEmpty(): boolean {
    return this.#table === undefined && this.#rules.length === 0;
  }

  /** Adds or removes the table and the rules. */
  async configure(wanted: { readonly table: boolean; readonly rules: boolean }): Promise<void> {
    const { table, rules } = this.#present;
    if (this.#table !== undefined && wanted.table !== table)
      await this.#run(["nft", "-f", "-"], wanted.table ? this.#table : `delete table ${TABLE.join(" ")}\n`);
    if (this.#rules.length > 0 && wanted.rules !== rules) {
      const verb = wanted.rules ? "add" : "delete";
      await this.#run(["ip", "-batch", "-"], this.#rules.map((rule) => `rule ${verb} ${rule}\n`).join(""));
    }
    this.#present = { ...wanted };
  }

  async #run(argv: readonly string[], stdin: string): Promise<void> {
    await execOrThrow(this.#cluster, this.node, [...this.#enter, ...argv], { stdin });
  }
}

/** Parses `ip rule list` to arguments of `ip rule add` and `delete`, without the kernel's default rules. Pure. */
export function parsePolicyRules(listed: string): readonly string[] {
  return listed.split("\n").flatMap((line) => {
    const { priority, selector } = RULE_LINE.exec(line)?.groups ?? {};
    if (priority === undefined || selector === undefined || KERNEL_PRIORITIES.includes(priority)) return [];
    return [`priority ${priority} ${selector.trim()}`];
  });
}
