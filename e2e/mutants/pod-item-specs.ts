import { It } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import type { MutantOptions } from "../support/run-options.ts";
import { listMutants } from "./mutant.ts";
import { type MutantContext, touchesPod, VARIANT } from "./mutant-context.ts";
import { buildDeleteRuleCommand, listRules, parseNftRules } from "./nft-rules.ts";
import { isComplete, readRecords } from "./mutant-records.ts";
import { sampleMutants } from "./sample.ts";
import { findAllowlistReason } from "./survivors.ts";

/** Registers the spec that removes plan items and nft rules of the node's pods. */
export function registerPodItemSpecs(getContext: () => MutantContext, options: MutantOptions): void {
  It("fails for each plan item and each nft rule in the pods", { timeout: 1_800_000 }, async () => {
    const context = getContext();
    const records = await readRecords(context.cluster, context.node);
    const isRepaired = async () =>
      (await Promise.all(records.map((record) => isComplete(context.cluster, context.node, record)))).every(Boolean);
    const items = listMutants(records).map(({ title, reason, pods, argvs }) => ({
      kind: "plan" as const,
      title,
      reason,
      pods,
      argvs: () => Promise.resolve(argvs),
    }));
    const markedRecords = records.filter(({ plan }) => plan.items.some(({ kind }) => kind === "reply-mark"));
    const enterPod = ({ netns }: (typeof records)[number], argv: readonly string[]) => [
      "nsenter",
      `--net=${netns}`,
      "--",
      ...argv,
    ];
    const readRules = async (record: (typeof records)[number]) =>
      parseNftRules(await context.execOnNode(enterPod(record, listRules)));
    const [firstRecord] = markedRecords;
    const rules = (firstRecord === undefined ? [] : await readRules(firstRecord)).map(({ chain, name }) => ({
      kind: "nft" as const,
      title: `underlay eth0: pod: nft rule in ${chain}: ${name}`,
      reason: name,
      pods: markedRecords.map(({ pod }) => pod.name),
      argvs: async () => {
        const commands = markedRecords.map(async (record) =>
          (await readRules(record))
            .filter((rule) => rule.chain === chain && rule.name === name)
            .map((rule) => enterPod(record, buildDeleteRuleCommand(rule))),
        );
        return (await Promise.all(commands)).flat();
      },
    }));
    for (const { pods, ...mutant } of sampleMutants([...items, ...rules], options)) {
      const mayFail = (cell: Cell) => pods.some((pod) => touchesPod(cell, pod));
      await context.runs.run(
        { ...mutant, isRepaired, mayFail, allowedBecause: findAllowlistReason(mutant.title) },
        VARIANT,
      );
    }
  });
}
