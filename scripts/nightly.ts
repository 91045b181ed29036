import { Command } from "commander";
import { DEFAULT_SPEC } from "../clusters/provider.ts";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { writeHistory } from "../results/write.ts";
import { toArguments, environmentJobs, type NightlyJob, planNightly } from "./nightly/nightly-plan.ts";

const VERSIONS = ["v1.29.15", "v1.31.4", "v1.34.1", "v1.37.2"];

/** `npm run nightly`: what CI runs every night, here. The workflow takes its jobs from `--dry-run --json`. */
const program = new Command("nightly")
  .description("run the matrix for every Kubernetes version, kube-proxy mode and provider, one after another")
  .option("--versions <list>", "Kubernetes versions", VERSIONS.join(","))
  .option("--only <regexp>", "only jobs whose name fits", "")
  .option("--dry-run", "print what would run")
  .option("--json", "with --dry-run: the jobs as JSON, each with its arguments for e2e")
  .parse();
const flags = program.opts<{ versions: string; only: string; dryRun?: true; json?: true }>();
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const jobs = [...planNightly(flags.versions.split(",")), ...environmentJobs(DEFAULT_SPEC.kubernetes)];
const wanted = jobs.filter(({ name }) => new RegExp(flags.only).test(name));

if (flags.dryRun === true) {
  if (flags.json === true) say(JSON.stringify(wanted.map((job) => ({ ...job, args: toArguments(job).join(" ") }))));
  else for (const job of wanted) say(`${job.name}: npm run e2e -- ${toArguments(job).join(" ")}`);
} else {
  const night = new Date().toISOString().replaceAll(/[:.]/g, "-");
  for (const job of wanted) {
    const begun = performance.now();
    const ok = await run(job, `${night}-${job.name}`);
    if (!ok) process.exitCode = 1;
    say(`${ok ? "passed" : "FAILED"}  ${job.name} (${Math.round((performance.now() - begun) / 1000)} s)`);
  }
  say(`history: ${await writeHistory()}`);
}

/** @param id of its run, after the night's: its results are in results/runs/ID */
async function run(job: NightlyJob, id: string): Promise<boolean> {
  say(`\n== ${job.name}`);
  return (await waitForExit(startScript("scripts/e2e.ts", ["--run-id", id, ...toArguments(job)]))) === 0;
}
