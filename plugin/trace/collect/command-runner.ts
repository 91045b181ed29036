import { spawn } from "node:child_process";
import { runInNamespace } from "../../netlink/namespace.ts";

/** Output and exit status of a program. */
interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell and waits for its end. The exit status is 127 if the program does not exist. */
export type CommandRunner = (argv: readonly string[], stdin?: string) => Promise<CommandOutput>;

/** Runs programs in the namespace of this thread. */
const runLocally: CommandRunner = ([file = "", ...argv], stdin = "") =>
  new Promise((resolve) => {
    const child = spawn(file, argv, { stdio: ["pipe", "pipe", "pipe"] });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk: Buffer) => {
        chunks[name].push(chunk);
      });
    child.stdin.on("error", () => undefined); // the program ended before it read everything
    child.stdin.end(stdin);
    child.on("error", ({ message }) => {
      resolve({ exitCode: 127, stdout: "", stderr: message });
    });
    child.on("close", (code) => {
      const text = (name: "stdout" | "stderr") => Buffer.concat(chunks[name]).toString("utf8");
      resolve({ exitCode: code ?? 128, stdout: text("stdout"), stderr: text("stderr") });
    });
  });

/** Access to a network namespace. */
export interface NamespaceAccess {
  /** Runs programs in it. */
  readonly run: CommandRunner;
  /** Runs synchronous work in it. */
  readonly inside: <T>(work: () => T) => T;
}

/** Access to the namespace of this process. */
export const OWN_NAMESPACE: NamespaceAccess = { run: runLocally, inside: (work) => work() };

/**
 * Returns access to another network namespace. A program inherits the namespace of the thread that starts it, so that no other
 * program is needed to enter it: the agent's image has none.
 *
 * @param path path of the namespace
 */
export function enterNamespace(path: string): NamespaceAccess {
  const inside = <T>(work: () => T): T => runInNamespace(path, work);
  return { inside, run: (argv, stdin) => inside(() => runLocally(argv, stdin)) };
}

/** Runs a program that must succeed. @returns its stdout @throws an error with its stderr */
export async function readOutput(run: CommandRunner, argv: readonly string[], stdin?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await run(argv, stdin);
  if (exitCode !== 0) throw new Error(`\`${argv.join(" ")}\` ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
