import { parseDocument } from "yaml";
import { z } from "zod";

const permissions = z.record(z.string(), z.enum(["read", "write", "none"]));
const step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const job = z.looseObject({
  "runs-on": z.string(),
  "timeout-minutes": z.number({ error: "a number is needed" }),
  permissions: permissions.optional(),
  steps: z.array(step),
});
const workflow = z.looseObject({ name: z.string(), permissions, jobs: z.record(z.string(), job) });

/** A pinned action: commit, and the release as a comment for readers and for Dependabot. */
const PINNED = /uses: +[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/;
/** Expressions whose values people other than the maintainers can choose: in a script the values would be code. */
const UNTRUSTED = /\$\{\{[^}]*\b(?:github\.(?:event|head_ref)|inputs)\b/;

/**
 * Finds problems in a workflow of GitHub Actions, except in its syntax, which actionlint checks: unpinned actions, more permissions
 * than reading by default, jobs without a time limit, stored credentials, untrusted values in scripts, unknown npm scripts. Pure.
 *
 * @param scripts names of the scripts in package.json
 * @returns one sentence for each problem
 */
export function findWorkflowProblems(text: string, scripts: ReadonlySet<string>): readonly string[] {
  const parsed = workflow.safeParse(parseDocument(text).toJS());
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `invalid ${path.join(".") || "workflow"}: ${message}`);
  const { data } = parsed;
  const granted = Object.entries(data.permissions).filter(([scope, level]) => scope !== "contents" || level !== "read");
  return [
    ...granted.map(([scope, level]) => `permission ${scope}: ${level} belongs to the job that needs it`),
    ...text
      .split("\n")
      .filter((line) => /^\s*(?:- )?uses: +(?!\.\/)/.test(line) && !PINNED.test(line))
      .map((line) => `"${line.trim()}" is not pinned: write a commit and the release as a comment`),
    ...Object.entries(data.jobs).flatMap(([name, { steps }]) =>
      steps.flatMap((jobStep) => findStepProblems(jobStep, scripts).map((problem) => `job ${name}: ${problem}`)),
    ),
  ];
}

function findStepProblems({ uses = "", run = "", with: inputs }: z.infer<typeof step>, scripts: ReadonlySet<string>) {
  const named = [...run.matchAll(/\bnpm run (?:--silent |-s )?([\w:-]+)/g)].map(([, name = ""]) => name);
  return [
    ...(uses.startsWith("actions/checkout@") && inputs?.["persist-credentials"] !== false
      ? ["the checkout stores credentials: set persist-credentials to false"]
      : []),
    ...(UNTRUSTED.test(run) ? ["a script contains a value that others can choose: pass it by env"] : []),
    ...named.filter((name) => !scripts.has(name)).map((name) => `package.json has no script "${name}"`),
  ];
}
