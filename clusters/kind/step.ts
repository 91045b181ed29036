import { runTimed } from "../components/timed.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { ClusterImages } from "../images/prepare.ts";
import type { Progress, StepHandle } from "../progress.ts";
import type { ClusterSpec } from "../provider.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";

/** What every step of bringing a cluster up works with. */
export interface Bringup {
  readonly spec: ClusterSpec;
  readonly engine: DockerEngine;
  readonly components: ResolvedComponents;
  readonly images: ClusterImages;
  readonly kubectl: Kubectl;
  readonly progress: Progress;
}

/** One step: an interrupted `up` is finished by the next, for each step finds what is there. */
export interface Step {
  title(bringup: Bringup): string;
  /** Whether there is nothing to do; absent where doing it again is quick and right. */
  isDone?(bringup: Bringup): Promise<boolean>;
  do(bringup: Bringup, handle: StepHandle): Promise<void>;
  /** Takes away what `do` made, or a part of it that is there; absent where an earlier step's `undo` takes it along. */
  undo?(engine: DockerEngine, cluster: string): Promise<void>;
}

export async function doSteps(steps: readonly Step[], bringup: Bringup): Promise<void> {
  for (const step of steps)
    if (!(await step.isDone?.(bringup)))
      await runTimed(bringup.progress, step.title(bringup), (handle) => step.do(bringup, handle));
}

/** In reverse order. One that fails does not keep the others from being undone; its error is thrown at the end. */
export async function undoSteps(steps: readonly Step[], engine: DockerEngine, cluster: string): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps.toReversed())
    await step.undo?.(engine, cluster).catch((error: unknown) => {
      errors.push(error);
    });
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.join("\n"));
}
