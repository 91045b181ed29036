import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 300;

/**
 * Waits until a check succeeds.
 *
 * @param state the awaited state, for the error
 * @param deadline time in milliseconds since 1970
 * @param hint what to do after a timeout
 * @throws after the deadline
 */
export async function waitUntil(
  state: string,
  check: () => Promise<boolean>,
  deadline: number,
  hint: string,
): Promise<void> {
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`Timeout while waiting until ${state}: ${hint}.`);
    await sleep(POLL_MS);
  }
}
