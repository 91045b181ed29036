import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "zx";
import type { RootShell } from "./root-shell.ts";
import { readWorkflowSteps, type WorkflowSteps } from "./workflow-steps.ts";

const WORKFLOWS = join(import.meta.dirname, "..", "..", ".github", "workflows");
/** Programs and files of GitHub's runners that a clean Debian root does not have. The checkout is a repository there. */
const PREPARE = [
  "apt-get -qq update && apt-get -qq install -y --no-install-recommends git sudo > /dev/null",
  "git init -q && git add --all",
];
const RUNNER_ENV = { CI: "true", GITHUB_OUTPUT: "/root/output", GITHUB_STEP_SUMMARY: "/root/summary" } as const;

/**
 * Reads the steps of a job of GitHub Actions.
 *
 * @param name file and job, like `ci.yml/check`
 * @param values values of GitHub's expressions in the job
 * @throws an error if the file or the job does not exist, or if an expression has no value
 */
export async function readJob(name: string, values: Readonly<Record<string, string>>): Promise<WorkflowSteps> {
  const [file = "", job = ""] = name.split("/");
  return readWorkflowSteps(await readFile(join(WORKFLOWS, file), "utf8"), job, values);
}

/** Runs the scripts of a job in a root, until one fails. @returns the exit status of the last script */
export async function runJob(
  shell: RootShell,
  { steps, left }: WorkflowSteps,
  print: (line: string) => void,
): Promise<number> {
  print(`not run, only GitHub can: ${left.join("; ")}`);
  for (const line of PREPARE) if ((await shell.run(line)) !== 0) throw new Error(`preparing the root failed: ${line}`);
  for (const { script, env } of steps) {
    print(script.trim());
    const started = performance.now();
    const variables = Object.entries({ ...RUNNER_ENV, ...env }).map(([key, value]) => quote(`${key}=${value}`));
    const status = await shell.run(`env ${variables.join(" ")} bash -e -c ${quote(script)}`);
    print(`exit status ${status} after ${Math.round((performance.now() - started) / 1000)} s`);
    if (status !== 0) return status;
  }
  for (const path of [RUNNER_ENV.GITHUB_OUTPUT, RUNNER_ENV.GITHUB_STEP_SUMMARY])
    await shell.run(`if [ -e ${path} ]; then echo "== ${path}"; head -c 2000 ${path}; fi`);
  return 0;
}
