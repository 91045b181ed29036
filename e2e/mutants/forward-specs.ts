import assert from "node:assert/strict";
import { Eventually, It } from "../harness.ts";
import { listAttackCells } from "../cells/attack-cells.ts";
import type { Cell } from "../cells/cell.ts";
import { NO_FEATURES } from "../cells/features.ts";
import { type MutantContext, VARIANT } from "./mutant-context.ts";
import { describeFailed } from "./mutation-runs.ts";
import { findAllowlistReason } from "./survivors.ts";

/** A rule of the agent in FORWARD, as `iptables -S` prints it without `-A`. */
interface ForwardRule {
  readonly tool: string;
  readonly text: string;
}

/** Registers the spec that removes the agent's rules from a FORWARD chain whose policy is DROP. */
export function registerForwardSpecs(getContext: () => MutantContext): void {
  It("fails without the rules in FORWARD, if its policy is DROP", { timeout: 900_000 }, async () => {
    const context = getContext();
    const attacks = listAttackCells(context.deployment.workers.length, { ...NO_FEATURES, forwardDrop: true }).filter(
      ({ sourceNode }) => sourceNode === 0,
    );
    const attackRuns = context.createRuns(attacks);
    try {
      await setForwardPolicy(context, "DROP");
      await waitForRules("the agent's rules are in FORWARD", context, (rules) => rules.length > 0);
      await context.assertAllPass(VARIANT, "with FORWARD's policy DROP and the agent's rules");
      assert.deepEqual(
        describeFailed(await attackRuns.listFailedCells(VARIANT)),
        [],
        "a pod uses the node as a router, although FORWARD's policy is DROP",
      );
      await removeEachRule(context);
    } finally {
      await setForwardPolicy(context, "ACCEPT");
    }
    const mayFail = () => true;
    const failedIds = attackRuns.recordResult(
      {
        kind: "nft",
        title: "node: policy DROP of FORWARD",
        reason: "the agent's rules accept only planned traffic",
        mayFail,
      },
      await attackRuns.listFailedCells(VARIANT, mayFail),
    );
    assert.deepEqual(
      failedIds,
      attacks.map(({ id }) => id),
      "packets to the outside that FORWARD's policy dropped",
    );
    await waitForRules("the agent's rules are removed from FORWARD", context, (rules) => rules.length === 0);
  });
}

async function removeEachRule(context: MutantContext): Promise<void> {
  const rules = await listForwardRules(context);
  for (const text of new Set(rules.map((rule) => rule.text))) {
    const title = `node: rule in ${text.replace(" -m comment --comment interlay -j ACCEPT", "")}`;
    await context.runs.run(
      {
        kind: "nft",
        title,
        reason: "a policy DROP, as Docker's, drops what no rule takes",
        argvs: () =>
          Promise.resolve(
            rules.flatMap((rule) => (rule.text === text ? [[rule.tool, "-w", "-D", ...text.split(" ")]] : [])),
          ),
        isRepaired: async () => (await listForwardRules(context)).length >= rules.length,
        mayFail: usesFirstNode,
        allowedBecause: findAllowlistReason(title),
      },
      VARIANT,
    );
  }
}

/** Whether the first node, whose rules are removed, may forward the cell's packets. */
function usesFirstNode({ sourceNode, from, server, to }: Cell): boolean {
  const pods = [from, server, "pod" in to ? to.pod : ""];
  return sourceNode === 0 || pods.some((pod) => /-1-|^node-1$/.test(pod ?? "")) || "node" in to;
}

async function listForwardRules(context: MutantContext): Promise<readonly ForwardRule[]> {
  const rules = context.iptablesTools.map(async (tool) => {
    const output = await context.execOnNode([tool, "-w", "-S", "FORWARD"]);
    return [...output.matchAll(/^-A (FORWARD .*interlay.*)$/gm)].map(([, text = ""]) => ({ tool, text }));
  });
  return (await Promise.all(rules)).flat();
}

async function setForwardPolicy(context: MutantContext, verdict: string): Promise<void> {
  for (const tool of context.iptablesTools) await context.execOnNode([tool, "-w", "-P", "FORWARD", verdict]);
}

function waitForRules(
  title: string,
  context: MutantContext,
  isDone: (rules: readonly ForwardRule[]) => boolean,
): Promise<unknown> {
  return Eventually(title, () => listForwardRules(context), isDone, { timeout: 60_000 });
}
