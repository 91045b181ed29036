import { writeFile } from "node:fs/promises";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { listFamilies } from "../../clusters/spec/address-ranges.ts";
import type { ActionResult } from "./action.ts";
import type { ProbeFlow } from "./flows.ts";

interface Run {
  readonly seed: number;
  readonly minutes: number;
  readonly only: string | undefined;
  readonly cluster: Cluster;
  readonly actionResults: readonly ActionResult[];
  readonly flows: readonly ProbeFlow[];
}

/**
 * Prints a summary of a run that passed, and writes its actions and flows to a file.
 * @param file undefined: nothing is written
 */
export async function writeChaosReport(
  { seed, minutes, only, cluster, actionResults, flows }: Run,
  file: string | undefined,
): Promise<void> {
  const content = {
    schema: "interlay.chaos/v1",
    at: new Date().toISOString(),
    seed,
    minutes,
    ...(only === undefined ? {} : { only }),
    provider: cluster.provider,
    versions: cluster.versions,
    families: listFamilies(cluster.spec),
    workers: cluster.nodes.filter(({ role }) => role === "worker").length,
    summary: {
      actions: actionResults.length,
      kinds: new Set(actionResults.map(({ name }) => name)).size,
      flows: flows.length,
      answers: flows.reduce((sum, { answered }) => sum + answered, 0),
      begunAgain: flows.reduce((sum, { begunAgain }) => sum + begunAgain, 0),
      longestSilenceMs: Math.max(0, ...flows.map((flow) => flow.longestSilenceMs)),
    },
    actions: actionResults,
    flows: flows.map(({ way, answered, begunAgain, longestSilenceMs, silences }) => ({
      way: way.what,
      translated: way.translated,
      answered,
      begunAgain,
      longestSilenceMs,
      silences,
    })),
  };
  if (file !== undefined) await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  const { summary } = content;
  process.stdout.write(
    `      · ${summary.actions} actions of ${summary.kinds} kinds; ${summary.flows} flows with ${summary.answers} answers, ${summary.begunAgain} begun again after what a node had lost, none silent for more than ${summary.longestSilenceMs} ms\n`,
  );
}
