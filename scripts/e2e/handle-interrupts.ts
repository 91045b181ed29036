/** npm, tsx and the terminal each pass a signal on: signals within this time are one, in milliseconds. */
const REPEAT_MS = 1000;

/**
 * Calls a function at the first SIGINT or SIGTERM. One that comes more than a second later ends this process with 130.
 * @param interrupt ends the run, and may take minutes for it
 */
export function handleInterrupts(interrupt: (signal: string) => void): void {
  let interruptedAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (interruptedAt === undefined) {
        interruptedAt = performance.now();
        interrupt(signal);
      } else if (performance.now() - interruptedAt > REPEAT_MS) process.exit(130);
    });
}
