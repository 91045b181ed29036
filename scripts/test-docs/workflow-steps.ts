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
  const workflowJob = jobs[job];
  if (workflowJob === undefined) throw new Error(`no job ${job}: use one of ${Object.keys(jobs).join(", ")}`);
  const evaluate = (template: string): string =>
    template.replaceAll(EXPRESSION, (_, expression: string) => {
      const value = values[expression];
      if (value === undefined)
        throw new Error(`job ${job}: no value for \${{ ${expression} }}: add --value '${expression}=…'`);
      return value;
    });
  const isRun = (step: (typeof workflowJob.steps)[number]) => step.run !== undefined && step.if !== "failure()";
  return {
    steps: workflowJob.steps.filter(isRun).map((step) => ({
      script: evaluate(step.run ?? ""),
      env: Object.fromEntries(
        Object.entries({ ...workflowJob.env, ...step.env }).map(([name, value]) => [name, evaluate(value)]),
      ),
    })),
    left: workflowJob.steps.filter((step) => !isRun(step)).map(({ uses, run = "" }) => uses ?? run.trim()),
  };
}
