import { signalGroup, startScript, waitForExit } from "../../clusters/shell.ts";
import { currentSignal } from "../harness.ts";

/** Result of a command of the repository in another process. */
interface E2eProcessResult {
  readonly exitCode: number;
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
  const env = Object.entries(process.env).filter(
    ([variable]) => !variable.startsWith("INTERLAY_") || variable === "INTERLAY_CACHE",
  );
  const program = startScript(`scripts/${name}.ts`, flags, {
    env: Object.fromEntries(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  let interrupted = false;
  for (const stream of ["stdout", "stderr"] as const)
    program[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      if (interrupted || interruptAt?.test(output[stream]) !== true) return;
      interrupted = true;
      signalGroup(program.child?.pid, "SIGINT");
    });
  const exitCode = await waitForExit(program, currentSignal());
  return { exitCode, ...output };
}
