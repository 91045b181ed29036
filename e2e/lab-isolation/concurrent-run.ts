import { spawn } from "node:child_process";
import { join } from "node:path";

interface ConcurrentRun {
  readonly exitCode: number | null;
  readonly output: string;
}

/**
 * Runs `npm run e2e` in another lab, in a process group of its own.
 * @param interruptAt output at which the whole group gets SIGINT, as by Ctrl-C in a terminal
 */
export async function startConcurrentRun(flags: readonly string[], interruptAt?: RegExp): Promise<ConcurrentRun> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "e2e.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, "--provider", "lab", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("INTERLAY_") || name === "INTERLAY_CACHE"),
    ),
  });
  let output = "";
  let interrupted = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (interruptAt === undefined || interrupted || !interruptAt.test(output) || child.pid === undefined) return;
      interrupted = true;
      process.kill(-child.pid, "SIGINT");
    });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  return { exitCode, output };
}
