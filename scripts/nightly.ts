import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { readReport, RESULTS, writeHistory } from "../results/files/write.ts";
import { type MatrixJob, matrixPlan, nameComponents, type PlannedJobs, planJobs } from "./nightly/matrix-plan.ts";
import plans from "./nightly/plans.json" with { type: "json" };
import { type JobResult, listRows, renderMarkdown, renderResultsTable } from "./nightly/results-table.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

type PlanName = keyof typeof plans;
const PLAN_NAMES = Object.keys(plans) as readonly PlanName[];
/** The plans that CI runs every night. */
const NIGHTLY: readonly PlanName[] = ["nightly", "gate"];

/** `npm run nightly`: runs the matrix for every job of the plans. The nightly workflow of CI takes its jobs from `--dry-run --json`. */
const flags = new Command("nightly")
  .description("run the matrix for every Kubernetes version, kube-proxy mode, family and provider of a plan")
  .option("--plan <list>", `plans of scripts/nightly/plans.json: ${PLAN_NAMES.join(", ")}`, parsePlans, NIGHTLY)
  .option("--versions <list>", "versions instead of the plan's: of kube-proxy in plan sweep, else of Kubernetes")
  .option("--only <regexp>", "only jobs whose name matches", "")
  .option("--dry-run", "print the jobs and run nothing")
  .option("--json", "with --dry-run: print the jobs as JSON, each with its arguments for e2e")
  .parse()
  .opts<{ plan: readonly PlanName[]; versions?: string; only: string; dryRun?: true; json?: true }>();
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

try {
  const { jobs, skipped } = readPlans();
  const selected = jobs.filter(({ name }) => new RegExp(flags.only).test(name));
  if (flags.dryRun) printJobs(selected, skipped);
  else await runJobs(selected, skipped);
} catch (error) {
  process.stderr.write(`nightly: ${getErrorMessage(error)}\n`);
  process.exitCode = 2;
}

function parsePlans(list: string): readonly PlanName[] {
  return list.split(",").map((name) => {
    const plan = PLAN_NAMES.find((candidate) => candidate === name);
    if (plan === undefined) throw new InvalidArgumentError(`use some of ${PLAN_NAMES.join(", ")}.`);
    return plan;
  });
}

function readPlans(): PlannedJobs {
  const versions = flags.versions?.split(",");
  const planned = flags.plan.map((name) => {
    const plan = matrixPlan.parse(plans[name]);
    const override = versions && (plan.kubeProxies ? { kubeProxies: versions } : { kubernetes: versions });
    return planJobs(name, { ...plan, ...override });
  });
  return { jobs: planned.flatMap(({ jobs }) => jobs), skipped: planned.flatMap(({ skipped }) => skipped) };
}

function printJobs(jobs: PlannedJobs["jobs"], skipped: PlannedJobs["skipped"]): void {
  if (flags.json)
    print(
      JSON.stringify(
        jobs.map((job) => ({ name: job.name, components: nameComponents(job), args: job.args.join(" ") })),
      ),
    );
  else {
    for (const { name, args } of jobs) print(`${name}: npm run e2e -- ${args.join(" ")}`);
    for (const reason of skipped) print(`skipped: ${reason}`);
  }
}

async function runJobs(jobs: PlannedJobs["jobs"], skipped: PlannedJobs["skipped"]): Promise<void> {
  const prefix = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const results: JobResult[] = [];
  for (const job of jobs) {
    print(`\n== ${job.name}`);
    const started = performance.now();
    const isPassed = await runJob(job, `${prefix}-${job.name}`);
    if (!isPassed) process.exitCode = 1;
    print(`${isPassed ? "passed" : "FAILED"}  ${job.name} (${Math.round((performance.now() - started) / 1000)} s)`);
    const directory = join(RESULTS, "runs", `${prefix}-${job.name}`);
    results.push({ job, report: await readReport(directory).catch(() => undefined) });
  }
  const rows = listRows(results, skipped);
  await mkdir(join(RESULTS, "runs"), { recursive: true });
  const file = join(RESULTS, "runs", `${flags.plan.join("-")}.md`);
  await writeFile(file, renderMarkdown(rows));
  print(`\n${renderResultsTable(rows)}\n\ntable: ${file}\nhistory: ${await writeHistory()}`);
}

async function runJob({ args }: MatrixJob, id: string): Promise<boolean> {
  return (await waitForExit(startScript("scripts/e2e.ts", ["--run-id", id, ...args]))) === 0;
}
