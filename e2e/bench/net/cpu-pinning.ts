import { cpus } from "node:os";
import { $ } from "zx";

const LAST_CPU = cpus().length - 1;

/**
 * Runs client and server on the last processor. On two processors, half of a round trip is the wake-up of a virtual processor:
 * 26 µs here, with a difference of 5 % between equal runs. On one processor it is 7 µs.
 */
export const ON_LAST_CPU: readonly string[] = ["taskset", "--cpu-list", String(LAST_CPU)];

/** Runs work while this process, with the cluster that it starts, is restricted to the other processors. */
export async function runOnOtherCpus<T>(work: () => Promise<T>): Promise<T> {
  await pinToCpu(`0-${Math.max(0, LAST_CPU - 1)}`);
  try {
    return await work();
  } finally {
    await pinToCpu(`0-${LAST_CPU}`);
  }
}

async function pinToCpu(processors: string): Promise<void> {
  await $`taskset --all-tasks --pid --cpu-list ${processors} ${process.pid}`;
}
