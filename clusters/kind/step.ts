import { runTimed } from "../components/timed.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { ClusterImages } from "../images/prepare.ts";
import type { Progress, StepHandle } from "../progress/progress.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";

/** The objects that all steps use. */
export interface Bringup {
  readonly spec: ClusterSpec;
  readonly engine: DockerEngine;
  readonly components: ResolvedComponents;
  readonly images: ClusterImages;
  readonly kubectl: Kubectl;
  readonly progress: Progress;
}

/** One step of `up`. Each step handles the result of an interrupted one, so the next `up` finishes it. */
export interface Step {
  title(bringup: Bringup): string;
  /** Whether the step is done; absent if it can be repeated. */
  isDone?(bringup: Bringup): Promise<boolean>;
  do(bringup: Bringup, handle: StepHandle): Promise<void>;
  /** Removes the result of `do`, or a part of it; absent if an earlier step's `undo` removes it. */
  undo?(engine: DockerEngine, cluster: string): Promise<void>;
}

/** Runs the steps that are not done yet. */
export async function doSteps(steps: readonly Step[], bringup: Bringup): Promise<void> {
  for (const step of steps)
    if (!(await step.isDone?.(bringup)))
      await runTimed(bringup.progress, step.title(bringup), (handle) => step.do(bringup, handle));
}

/** Undoes the steps in reverse order. After a failure it continues with the others. @throws the errors at the end */
export async function undoSteps(steps: readonly Step[], engine: DockerEngine, cluster: string): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps.toReversed())
    await step.undo?.(engine, cluster).catch((error: unknown) => {
      errors.push(error);
    });
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.join("\n"));
}
