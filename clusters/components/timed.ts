import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Progress, StepHandle } from "../progress/progress.ts";
import { readLastSeconds, saveLastSeconds } from "./timings.ts";

/**
 * Runs work as a step of the progress display, which shows the duration of the last run. Saves the new duration.
 *
 * @param title identifies the step
 * @returns the result of the work
 * @throws the error of the work, after the step is shown as failed
 */
export async function runTimed<T>(
  progress: Progress,
  title: string,
  work: (step: StepHandle) => Promise<T>,
): Promise<T> {
  const step = progress.step(title, await readLastSeconds(title));
  const startMs = performance.now();
  try {
    const result = await work(step);
    await saveLastSeconds(title, (performance.now() - startMs) / 1000);
    step.done();
    return result;
  } catch (error) {
    step.fail(getErrorMessage(error));
    throw error;
  }
}
