import { spawn } from "node:child_process";

/** A program that the build needs is not installed. */
export class NoCompilerError extends Error {}

/**
 * Runs a program of the build.
 * @returns its stdout
 * @throws NoCompilerError if it is not installed; Error with its output if it fails
 */
export async function runBuildTool(file: string, argv: readonly string[]): Promise<string> {
  const child = spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child
      .on("error", ({ message }) => {
        reject(new NoCompilerError(`${file} cannot be started (${message}): it is needed to build Interlay`));
      })
      .on("close", resolve);
  });
  if (code !== 0)
    throw new Error(`${file} ${argv[0] ?? ""} failed (exit ${String(code)}): ${`${stdout}${stderr}`.trim()}`);
  return stdout;
}
