import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { useDirectory } from "../plugin/testing/use-directory.ts";

const HARNESS = join(import.meta.dirname, "harness.ts");

describe("a spec file of the harness that is started alone", function () {
  this.timeout(60_000);
  async function start(source: string, argv: readonly string[] = [], onLine?: (text: string, pid: number) => void) {
    const script = join(directory, "one.e2e.mjs");
    await writeFile(script, `const { ${WORDS} } = await import(${JSON.stringify(HARNESS)});\n${source}`);
    const child = spawn(process.execPath, ["--import", "tsx", script, ...argv], {
      stdio: ["ignore", "pipe", "pipe"],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "CI")),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        onLine?.(text, child.pid ?? 0);
      });
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode, output };
  }
  const directory = useDirectory("suite");
  const WORDS = "By, DeferCleanup, Describe, It, FIt";

  it("runs it with mocha's output, and exits with 0", async () => {
    const { exitCode, output } = await start(`Describe("g", () => It("one", () => {}));`);
    assert.equal(exitCode, 0, output);
    assert.match(output, /g\s+✔ one[\s\S]*1 passing/);
  });

  it("exits with 1 when a spec fails, and prints its error", async () => {
    const { exitCode, output } = await start(`It("one", () => { throw new Error("boom"); });`);
    assert.equal(exitCode, 1, output);
    assert.match(output, /1 failing[\s\S]*boom/);
  });

  it("exits with 1 when the label fits nothing", async () => {
    const { exitCode, output } = await start(`It("one", () => {});`, ["--label", "typo"]);
    assert.equal(exitCode, 1, output);
    assert.match(output, /nothing was selected/);
  });

  it("exits with 1 when a body waits for what can no longer come", async () => {
    const source = `It("one", { timeout: 0 }, () => new Promise(() => {})); `;
    const { exitCode } = await start(source);
    assert.notEqual(exitCode, 0);
  });

  it("exits with 2 for a flag that does not exist", async () => {
    const { exitCode } = await start(`It("one", () => {});`, ["--typo"]);
    assert.equal(exitCode, 2);
  });

  it("lists the specs with their labels and runs none", async () => {
    const { exitCode, output } = await start(`It("one", { labels: ["a"] }, () => { throw new Error("ran"); });`, [
      "--list",
    ]);
    assert.equal(exitCode, 0, output);
    assert.equal(output, "one [a]\n");
  });

  it("blames an uncaught error on the spec that runs, and goes on", async () => {
    const source = `
      It("throws", () => new Promise(() => setTimeout(() => { throw new Error("boom"); }, 5)));
      It("rejects", () => new Promise((done) => { void Promise.reject(new Error("lost")); setTimeout(done, 50); }));
      It("next", () => {});`;
    const { exitCode, output } = await start(source);
    assert.equal(exitCode, 1, output);
    assert.match(output, /1 passing[\s\S]*2 failing[\s\S]*uncaught: boom[\s\S]*uncaught: lost/);
  });

  it("prints its progress at SIGUSR2 and cleans up at SIGINT, then exits with 130", async () => {
    let step = 0;
    const source = `
      It("one", ({ signal }) => By("waits", async () => {
        DeferCleanup(() => console.log("cleaned up"));
        console.log("ready");
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      }));
      It("two", () => console.log("ran"));`;
    const { exitCode, output } = await start(source, [], (text, pid) => {
      if (step === 0 && text.includes("ready")) {
        step = 1;
        process.kill(pid, "SIGUSR2");
      } else if (step === 1 && text.includes("step: waits")) {
        step = 2;
        process.kill(pid, "SIGINT");
      }
    });
    assert.equal(exitCode, 130, output);
    assert.match(output, /0 of 2 specs done; running: one/);
    assert.match(output, /cleaned up/);
    assert.doesNotMatch(output, /^ran/m);
  });
});
