import assert from "node:assert/strict";
import { It } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import { type MutantContext, VARIANT } from "./mutant-context.ts";
import { buildDeleteRuleCommand, buildFlushSetCommand, listRules, parseNftRules, parseSets } from "./nft-rules.ts";
import { findAllowlistReason } from "./survivors.ts";

/** Registers the spec that removes the node's table, its rules and the elements of its sets. */
export function registerNodeRuleSpecs(getContext: () => MutantContext): void {
  It("fails without the return path, in the cells that the gate names", { timeout: 900_000 }, async () => {
    const context = getContext();
    const blocked = context.runs.listBlockedCells({ ...VARIANT, returnPath: "none" });
    const listBlocked = (family: string): readonly string[] =>
      context.cells.filter((cell) => cell.family === family && blocked.includes(cell.id)).map(({ id }) => id);
    const readTable = () => context.execOnNode(["nft", "-s", "list", "table", "inet", "interlay"]);
    const table = await readTable();
    const listing = await context.execOnNode(listRules);
    const mutants = [
      {
        title: "node: the table",
        detectors: blocked,
        argvs: () => Promise.resolve([["nft", "delete", "table", "inet", "interlay"]]),
      },
      ...parseNftRules(listing).map(({ chain, name }) => ({
        title: `node: nft rule in ${chain}: ${name}`,
        detectors: listBlocked(/^exempt-(.*)$/.exec(name)?.[1] ?? ""),
        argvs: async () =>
          parseNftRules(await context.execOnNode(listRules))
            .filter((rule) => rule.chain === chain && rule.name === name)
            .map(buildDeleteRuleCommand),
      })),
      ...parseSets(listing).map((set) => ({
        title: `node: nft set ${set}`,
        detectors: listBlocked(set.endsWith("6") ? "ipv6" : "ipv4"),
        argvs: () => Promise.resolve([buildFlushSetCommand(set)]),
      })),
    ];
    for (const { title, detectors, argvs } of mutants) {
      const failedIds = await context.runs.run(
        {
          kind: "nft",
          title,
          reason: "packets of a half-seen connection must not be INVALID",
          argvs,
          isRepaired: async () => (await readTable()) === table,
          mayFail: ({ id }: Cell) => detectors.includes(id),
          allowedBecause: findAllowlistReason(title),
        },
        VARIANT,
      );
      assert.deepEqual(failedIds, detectors, title);
    }
  });
}
