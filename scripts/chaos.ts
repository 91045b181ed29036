import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { RESULTS } from "../results/write.ts";

/** `npm run chaos`: things go wrong at random in a lab, by a seed that plays the same again. */
const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed.");
  return value;
};
const { seed, minutes, name, only, keep } = new Command("chaos")
  .description("kill, flush, move and restart at random in a lab, and look after each whether all is well")
  .option("--seed <number>", "plays the same actions again; a new one if it is not given", positive)
  .option("--minutes <number>", "how long", positive, 2)
  .option("--only <regexp>", "of all that can happen, what fits")
  .option("--keep", "leave the lab as it is")
  .option("--name <name>", "the lab's name", "interlay-chaos")
  .parse()
  .opts<{ seed?: number; minutes: number; name: string; only?: string; keep?: true }>();

/** Connections live on the first two; the third can be dropped. */
const THIRD_WORKER = ["--nodes", "3"];
const env = {
  ...process.env,
  INTERLAY_CHAOS_MINUTES: String(minutes),
  INTERLAY_CHAOS_REPORT: join(RESULTS, "chaos.json"),
  ...(seed === undefined ? {} : { INTERLAY_SEED: String(seed) }),
  ...(only === undefined ? {} : { INTERLAY_CHAOS_ONLY: only }),
};
const argv = ["--provider", "lab", "--name", name, "--suite", "chaos", ...THIRD_WORKER, ...(keep ? ["--keep"] : [])];
process.exitCode = await waitForExit(startScript("scripts/e2e.ts", argv, { env }));
