import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Progress, StepHandle } from "../progress/progress.ts";
import { readLastSeconds, saveLastSeconds } from "./timings.ts";

/** Runs work as a step that shows its last duration, and saves the new one. */
export async function runTimed<T>(
  progress: Progress,
  title: string,
  work: (step: StepHandle) => Promise<T>,
): Promise<T> {
  const step = progress.step(title, await readLastSeconds(title));
  const started = performance.now();
  try {
    const result = await work(step);
    await saveLastSeconds(title, (performance.now() - started) / 1000);
    step.done();
    return result;
  } catch (error) {
    step.fail(getErrorMessage(error));
    throw error;
  }
}
