import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Options of a call of a program. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Called with each line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
  /** Timeout in milliseconds, after which the program gets SIGTERM; the exit code is 128 if this ends it. */
  readonly timeoutMs?: number;
  /** Sends SIGTERM to the program when it is aborted. The call still waits for the program's end and returns its result. */
  readonly signal?: AbortSignal;
}

/** The result of a program. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program without a shell, and waits for its end. A lab runs hundreds of programs, and zx's shell adds 5 ms to each
 * (`true` takes 14.3 ms instead of 9.4 ms). Scripts and single steps use zx, see clusters/shell.ts.
 *
 * @param argv name or path of the program, and its arguments
 * @returns the result for any exit code; 127 if the program does not exist
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = "", ...programArguments] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, programArguments, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let pending = "";
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        output[name] += chunk;
        if (options.onLine === undefined) return;
        const lines = (pending + chunk).split("\n");
        pending = lines.pop() ?? "";
        for (const line of lines) options.onLine(line);
      });
    }
    child.stdin.on("error", () => undefined); // the program ended before it read everything
    child.stdin.end(options.stdin ?? "");
    const stop = (): void => {
      child.kill("SIGTERM");
    };
    options.signal?.addEventListener("abort", stop);
    if (options.signal?.aborted === true) stop();
    child.on("error", (error) => {
      resolve({ exitCode: 127, stdout: "", stderr: error.message });
    });
    child.on("close", (code) => {
      options.signal?.removeEventListener("abort", stop);
      resolve({ exitCode: code ?? 128, ...output });
    });
  });
}

/**
 * Runs a program and returns its stdout.
 *
 * @throws with the last lines of the output, if the exit code is not 0
 */
export async function runOrThrow(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.exitCode !== 0) {
    const lines = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-12).join("\n");
    throw new Error(`\`${argv.join(" ")}\` failed with exit code ${result.exitCode}:\n${lines}`);
  }
  return result.stdout;
}

/** Whether an executable program of this name is on PATH, in /usr/sbin or in /sbin. */
export async function isInstalled(program: string): Promise<boolean> {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const results = await Promise.all(
    directories.map((directory) =>
      access(join(directory, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return results.includes(true);
}
