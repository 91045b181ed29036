import { spawn } from "node:child_process";
import { Command, InvalidArgumentError } from "commander";

/** `npm run chaos`: things go wrong at random in a lab, by a seed that plays the same again. */
const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed.");
  return value;
};
const { seed, minutes, name } = new Command("chaos")
  .description("kill, flush, move and restart at random in a lab, and look after each whether all is well")
  .option("--seed <number>", "plays the same actions again; a new one if it is not given", positive)
  .option("--minutes <number>", "how long", positive, 2)
  .option("--name <name>", "the lab's name", "interlay-chaos")
  .parse()
  .opts<{ seed?: number; minutes: number; name: string }>();

const env = {
  ...process.env,
  INTERLAY_CHAOS_MINUTES: String(minutes),
  ...(seed === undefined ? {} : { INTERLAY_SEED: String(seed) }),
};
const argv = ["scripts/e2e.ts", "--provider", "lab", "--name", name, "--suite", "chaos"];
spawn("tsx", argv, { stdio: "inherit", env }).on("exit", (code) => {
  process.exitCode = code ?? 1;
});
