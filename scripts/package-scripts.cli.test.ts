import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import packageJson from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "..");
/** A program that is busy for half a second at a time, and needs a moment to clean up after a signal. */
const PROGRAM = `
const work = () => {
  const end = performance.now() + 500;
  while (performance.now() < end);
};
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    clearInterval(timer);
    setTimeout(() => console.log("cleaned up"), 200);
  });
const timer = setInterval(work, 1);
console.log("ready");
`;

/** Returns what stands before the script in the commands that start one, like `node --import tsx `. */
function listLaunchers(): readonly string[] {
  const commands = Object.values(packageJson.scripts).filter((command) => / scripts\/\S+\.ts\b/.test(command));
  return [...new Set(commands.map((command) => command.replace(/scripts\/.*/, "")))];
}

describe("commands of package.json", () => {
  for (const [title, signal] of [
    ["let a busy script clean up when a terminal interrupts it with its shell", "SIGINT"],
    ["let a busy script clean up when npm passes SIGTERM on to its shell", "SIGTERM"],
  ] as const)
    it(title, async function () {
      this.timeout(30_000);
      const directory = await mkdtemp(join(tmpdir(), "interlay-scripts-"));
      try {
        const program = join(directory, "program.ts");
        await writeFile(program, PROGRAM);
        const launchers = listLaunchers();
        assert.notDeepEqual(launchers, []);
        const outputs = await Promise.all(launchers.map((launcher) => runUntil(signal, `${launcher}${program}`)));
        assert.deepEqual(
          outputs,
          launchers.map(() => ({ code: 0, output: "ready\ncleaned up\n" })),
        );
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
});

/** Runs a command by a shell, as npm does, and sends a signal when it has begun: SIGINT to its process group. */
async function runUntil(
  signal: "SIGINT" | "SIGTERM",
  command: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const path = [join(ROOT, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  const child = spawn("sh", ["-c", command], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output === "ready\n" && child.pid !== undefined)
      process.kill(signal === "SIGINT" ? -child.pid : child.pid, signal);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
