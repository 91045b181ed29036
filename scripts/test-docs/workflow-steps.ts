import { parse } from "yaml";
import { z } from "zod";

/** A step of a job that runs a script. */
interface WorkflowStep {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The steps of a job. */
export interface WorkflowSteps {
  readonly steps: readonly WorkflowStep[];
  /** Actions and scripts that only GitHub can run. */
  readonly left: readonly string[];
}

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const env = z.record(z.string(), text).default({});
const workflow = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      env,
      steps: z.array(z.object({ run: z.string().optional(), uses: z.string().optional(), if: text.optional(), env })),
    }),
  ),
});
/** GitHub's expressions: `${{ matrix.job.args }}`. */
const EXPRESSION = /\$\{\{ *([^}]*?) *\}\}/g;

/**
 * Returns the scripts of a job, in order, with the values of their expressions; steps after a failure (`if: failure()`) are left
 * out, and so are actions. Pure.
 *
 * @param yaml text of the workflow
 * @param values values of expressions by their text, such as `matrix.job.args`
 * @throws an error if the job does not exist, or if an expression has no value
 */
export function readWorkflowSteps(yaml: string, job: string, values: Readonly<Record<string, string>>): WorkflowSteps {
  const { jobs } = workflow.parse(parse(yaml));
  const found = jobs[job];
  if (found === undefined) throw new Error(`no job ${job}: use one of ${Object.keys(jobs).join(", ")}`);
  const evaluate = (one: string): string =>
    one.replaceAll(EXPRESSION, (_, expression: string) => {
      const value = values[expression];
      if (value === undefined)
        throw new Error(`job ${job}: no value for \${{ ${expression} }}: add --value '${expression}=…'`);
      return value;
    });
  const isRun = (one: (typeof found.steps)[number]) => one.run !== undefined && one.if !== "failure()";
  return {
    steps: found.steps.filter(isRun).map((one) => ({
      script: evaluate(one.run ?? ""),
      env: Object.fromEntries(
        Object.entries({ ...found.env, ...one.env }).map(([name, value]) => [name, evaluate(value)]),
      ),
    })),
    left: found.steps.filter((one) => !isRun(one)).map(({ uses, run = "" }) => uses ?? run.trim()),
  };
}
