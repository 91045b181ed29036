import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";

/** Interlay's table of a node or pod, and the guards of a node's pairs, as `nft list tables` prints them. */
const TABLE_LINE = /^table (?:inet interlay|netdev interlay-vethil\w+)$/gm;
/** Priorities of the kernel's default rules. */
const KERNEL_PRIORITIES: readonly string[] = ["0", "32766", "32767"];
const RULE_LINE = /^(?<priority>\d+):\s+(?<selector>.*)$/;

/** Network of a node, or of one of its pods. */
interface PartLocation {
  readonly node: string;
  readonly netns?: string;
}

/** Interlay's nft tables and policy rules in a network namespace, which can be removed and added again. */
export class InterlayParts {
  readonly node: string;
  readonly #cluster: Cluster;
  readonly #enter: readonly string[];
  /** The tables in nft syntax. */
  readonly #tables: readonly string[];
  /** Arguments of `ip rule add`. */
  readonly #rules: readonly string[];
  #present = { tables: true, rules: true };

  private constructor(
    cluster: Cluster,
    node: string,
    enter: readonly string[],
    tables: readonly string[],
    rules: string,
  ) {
    this.#cluster = cluster;
    this.node = node;
    this.#enter = enter;
    this.#tables = tables;
    this.#rules = parsePolicyRules(rules);
  }

  /** Reads the present configuration. */
  static async create(cluster: Cluster, { node, netns }: PartLocation): Promise<InterlayParts> {
    const enter = netns === undefined ? [] : ["nsenter", `--net=${netns}`, "--"];
    const listing = await runOnNode(cluster, node, [...enter, "nft", "list", "tables"]);
    const tables = [...listing.matchAll(TABLE_LINE)].map(([line]) =>
      runOnNode(cluster, node, [...enter, "nft", "-s", "list", ...line.split(" ")]),
    );
    return new InterlayParts(
      cluster,
      node,
      enter,
      await Promise.all(tables),
      await runOnNode(cluster, node, [...enter, "ip", "rule", "list"]),
    );
  }

  /** Whether the namespace has no configuration of Interlay. */
  get isEmpty(): boolean {
    return this.#tables.length === 0 && this.#rules.length === 0;
  }

  /** Adds or removes the tables and the rules. */
  async configure(desired: { readonly tables: boolean; readonly rules: boolean }): Promise<void> {
    const { tables, rules } = this.#present;
    if (this.#tables.length > 0 && desired.tables !== tables)
      await this.#run(
        ["nft", "-f", "-"],
        this.#tables.map((text) => (desired.tables ? text : `delete ${text.split(" {")[0] ?? ""}\n`)).join(""),
      );
    if (this.#rules.length > 0 && desired.rules !== rules) {
      const verb = desired.rules ? "add" : "delete";
      await this.#run(["ip", "-batch", "-"], this.#rules.map((rule) => `rule ${verb} ${rule}\n`).join(""));
    }
    this.#present = { ...desired };
  }

  async #run(argv: readonly string[], stdin: string): Promise<void> {
    await runOnNode(this.#cluster, this.node, [...this.#enter, ...argv], { stdin });
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
