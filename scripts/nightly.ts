import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { readReport, RESULTS, writeHistory } from "../results/files/write.ts";
import { type MatrixJob, matrixPlan, type PlannedJobs, planJobs } from "./nightly/plan.ts";
import plans from "./nightly/plans.json" with { type: "json" };
import { type JobResult, listRows, renderMarkdown, renderTable } from "./nightly/results-table.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/** `npm run nightly`: runs the matrix for every job of a plan. The nightly workflow of CI takes its jobs from `--dry-run --json`. */
const flags = new Command("nightly")
  .description("run the matrix for every Kubernetes version, kube-proxy mode, family and provider of a plan")
  .addOption(
    new Option("--plan <name>", "plan in scripts/nightly/plans.json").choices(Object.keys(plans)).default("nightly"),
  )
  .option("--versions <list>", "versions instead of the plan's: of kube-proxy in plan sweep, else of Kubernetes")
  .option("--only <regexp>", "only jobs whose name matches", "")
  .option("--dry-run", "print the jobs and run nothing")
  .option("--json", "with --dry-run: print the jobs as JSON, each with its arguments for e2e")
  .parse()
  .opts<{ plan: keyof typeof plans; versions?: string; only: string; dryRun?: true; json?: true }>();
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

try {
  const { jobs, skipped } = readPlan();
  const selected = jobs.filter(({ name }) => new RegExp(flags.only).test(name));
  if (flags.dryRun) printJobs(selected, skipped);
  else await runJobs(selected, skipped);
} catch (error) {
  process.stderr.write(`nightly: ${getErrorMessage(error)}\n`);
  process.exitCode = 2;
}

function readPlan(): PlannedJobs {
  const plan = matrixPlan.parse(plans[flags.plan]);
  const versions = flags.versions?.split(",");
  const override = versions && (plan.kubeProxies ? { kubeProxies: versions } : { kubernetes: versions });
  return planJobs(flags.plan, { ...plan, ...override });
}

function printJobs(jobs: PlannedJobs["jobs"], skipped: PlannedJobs["skipped"]): void {
  if (flags.json)
    print(JSON.stringify(jobs.map(({ name, kubernetes, args }) => ({ name, kubernetes, args: args.join(" ") }))));
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
  const file = join(RESULTS, "runs", `${flags.plan}.md`);
  await writeFile(file, renderMarkdown(rows));
  print(`\n${renderTable(rows)}\n\ntable: ${file}\nhistory: ${await writeHistory()}`);
}

async function runJob({ args }: MatrixJob, id: string): Promise<boolean> {
  return (await waitForExit(startScript("scripts/e2e.ts", ["--run-id", id, ...args]))) === 0;
}
