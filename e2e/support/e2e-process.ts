import { spawn } from "node:child_process";
import { join } from "node:path";
import { currentSignal } from "../harness.ts";

/** Result of `npm run e2e` in another process. */
export interface E2eProcessResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `npm run e2e` in another process and process group, without this run's options.
 * @param interruptAt output at which the process group gets SIGINT, as by Ctrl-C in a terminal
 */
export async function runE2eProcess(flags: readonly string[], interruptAt?: RegExp): Promise<E2eProcessResult> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "e2e.ts");
  const env = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("INTERLAY_") || name === "INTERLAY_CACHE",
  );
  const child = spawn(process.execPath, ["--import", "tsx", script, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: Object.fromEntries(env),
  });
  const output = { stdout: "", stderr: "" };
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted || child.pid === undefined || child.exitCode !== null) return;
    interrupted = true;
    process.kill(-child.pid, "SIGINT");
  };
  const signal = currentSignal();
  signal.addEventListener("abort", interrupt);
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      if (interruptAt?.test(output[name])) interrupt();
    });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  signal.removeEventListener("abort", interrupt);
  return { exitCode, ...output };
}
