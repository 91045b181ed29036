import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { RECORDED_RESULTS } from "../results/files/write.ts";

/** `npm run chaos`: injects random faults in a lab; the same seed repeats them. */
const parsePositiveNumber = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("want a number above 0");
  return value;
};
const { seed, minutes, name, only, keep } = new Command("chaos")
  .description("inject random faults in a lab and check the invariants after each")
  .option(
    "--seed <number>",
    "seed of an earlier run, which repeats its faults (default: a new seed)",
    parsePositiveNumber,
  )
  .option("--minutes <number>", "duration", parsePositiveNumber, 2)
  .option("--only <regexp>", "only faults whose name matches")
  .option("--keep", "do not delete the lab")
  .option("--name <name>", "name of the lab", "interlay-chaos")
  .parse()
  .opts<{ seed?: number; minutes: number; name: string; only?: string; keep?: true }>();

/** Number of workers: the first two have connections, and faults can remove the third. */
const THIRD_WORKER = ["--nodes", "3"];
const env = {
  ...process.env,
  INTERLAY_CHAOS_MINUTES: String(minutes),
  INTERLAY_CHAOS_REPORT: join(RECORDED_RESULTS, "chaos.json"),
  ...(seed === undefined ? {} : { INTERLAY_SEED: String(seed) }),
  ...(only === undefined ? {} : { INTERLAY_CHAOS_ONLY: only }),
};
const argv = ["--provider", "lab", "--name", name, "--suite", "chaos", ...THIRD_WORKER, ...(keep ? ["--keep"] : [])];
process.exitCode = await waitForExit(startScript("scripts/e2e.ts", argv, { env }));
