import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { getCacheRoot } from "../../clusters/components/cache.ts";
import { runTimed } from "../../clusters/components/timed.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { CHECKOUT_DIRECTORY, createRoot } from "./clean-root.ts";
import { DOCUMENTED_RUNS } from "./documented-runs.ts";
import { readJob, runJob } from "./workflow-job.ts";
import { enterRoot, type RootShell } from "./root-shell.ts";

/** `npm run test:docs`: runs the README's command in a new Debian root that has only what the README requires. */
const { provider, cold, all, job, value, keep } = new Command("test:docs")
  .description("run the README's command in a clean Debian root with an empty home; exits with its status")
  .option("--provider <name>", "lab, or kind, which is the default of npm run e2e", "lab")
  .option("--cold", "with an empty cache: everything is built, which takes a quarter of an hour")
  .option("--all", "then also run the commands of README and docs in a lab (scripts/test-docs/documented-runs.ts)")
  .option("--job <file/job>", "instead run the scripts of a job in .github/workflows, like ci.yml/check")
  .option("--value <expression=value>", "value of one of GitHub's expressions in the job; repeatable", parseValue, {})
  .option("--keep", "do not delete the root")
  .parse()
  .opts<{
    provider: string;
    cold?: true;
    all?: true;
    job?: string;
    value: Readonly<Record<string, string>>;
    keep?: true;
  }>();

if (process.getuid?.() !== 0) {
  process.stderr.write("test:docs: creating a root file system needs root privileges: run this as root\n");
  process.exit(2);
}
const steps = job === undefined ? undefined : await readJob(job, value).catch(failUsage);
const progress = createPlainProgress();
const cache = getCacheRoot();
await mkdir(cache, { recursive: true, mode: 0o700 });
const root = await mkdtemp(join(cache, "test-docs-"));
const print = (line: string): void => {
  process.stdout.write(`== ${line}\n`);
};

try {
  await runTimed(progress, "a clean Debian, Node.js, npm, Go and the commit", () => createRoot(root, progress));
  const shell = await enterRoot(root, cold ? undefined : join(cache, "components"));
  try {
    process.exitCode = steps === undefined ? await runDocumented(shell) : await runJob(shell, steps, print);
  } finally {
    shell.close();
  }
} finally {
  if (!keep) await rm(root, { recursive: true, force: true });
}

/** Runs the README's command, and with --all the other documented ones. @returns the exit status */
async function runDocumented(shell: RootShell): Promise<number> {
  const command = `npm ci && npm run e2e${provider === "kind" ? "" : ` -- --provider ${provider}`}`;
  print(`in ${CHECKOUT_DIRECTORY} of the new root: ${command}`);
  const started = performance.now();
  let exitStatus = await shell.run(command);
  const seconds = Math.round((performance.now() - started) / 1000);
  for (const { run, shows } of all && exitStatus === 0 ? DOCUMENTED_RUNS : []) {
    print(run);
    const status = await shell.run(run);
    print(`exit status ${status}: ${shows.join("; ")}`);
    if (status !== 0) exitStatus = 1;
  }
  const components = cold ? "an empty cache" : "this machine's components in the cache";
  print(`exit status ${exitStatus}; the first command took ${seconds} s with ${components}`);
  return exitStatus;
}

function failUsage(error: unknown): never {
  process.stderr.write(`test:docs: ${getErrorMessage(error)}\n`);
  process.exit(2);
}

function parseValue(text: string, earlier: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [expression = "", ...value] = text.split("=");
  if (expression === "" || value.length === 0) throw new InvalidArgumentError("use EXPRESSION=VALUE.");
  return { ...earlier, [expression]: value.join("=") };
}
