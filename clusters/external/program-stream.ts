import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ProgramStream } from "../provider/provider.ts";

/** Starts a program of this machine, like `docker exec -i …`, with its stdin and stdout as lines. */
export function createProgramStream(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ProgramStream {
  const [file = "", ...programArguments] = argv;
  const child = spawn(file, programArguments, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise<void>((resolve) => {
    child.on("error", () => {
      resolve();
    });
    child.on("close", () => {
      resolve();
    });
  });
  child.stdin.on("error", () => undefined); // the program ended: pending requests time out
  return {
    write: (line) => {
      child.stdin.write(`${line}\n`);
    },
    onLine: (listener) => {
      lines.on("line", listener);
    },
    close: async () => {
      child.stdin.end();
      const forced = setTimeout(() => child.kill("SIGKILL"), 2000);
      await ended;
      clearTimeout(forced);
    },
  };
}
