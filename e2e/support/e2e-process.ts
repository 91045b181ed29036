import { spawn } from "node:child_process";
import { join } from "node:path";
import { currentSignal } from "../harness.ts";

/** Result of a command of the repository in another process. */
interface E2eProcessResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `npm run e2e` in another process and process group, without this run's options.
 * @param interruptAt output at which the process group gets SIGINT, as by Ctrl-C in a terminal
 */
export function runE2eProcess(flags: readonly string[], interruptAt?: RegExp): Promise<E2eProcessResult> {
  return runCommandProcess("e2e", flags, interruptAt);
}

/** Runs a command of the repository, such as `sysdump`, like `runE2eProcess`. */
export async function runCommandProcess(
  name: string,
  flags: readonly string[],
  interruptAt?: RegExp,
): Promise<E2eProcessResult> {
  const script = join(import.meta.dirname, "..", "..", "scripts", `${name}.ts`);
  const env = Object.entries(process.env).filter(
    ([variable]) => !variable.startsWith("INTERLAY_") || variable === "INTERLAY_CACHE",
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
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      if (interruptAt?.test(output[stream])) interrupt();
    });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  signal.removeEventListener("abort", interrupt);
  return { exitCode, ...output };
}
