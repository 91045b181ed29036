/**
 * Watches a node's plugins until a file exists: `executables-watch DIRECTORY STOP`. Checks that each plugin exists and answers
 * VERSION at every moment. Runs on the node by plain node; prints JSON.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [directory = "", stop = ""] = process.argv.slice(2);
const NAMES = ["interlay", "interlay-full", "interlay-ipam"];
/** Calls a plugin as a runtime does, with the command VERSION. */
const CALL = { env: { CNI_COMMAND: "VERSION" }, input: JSON.stringify({ cniVersion: "1.0.0" }) };
/** Milliseconds between two calls: other processes need the node's processor too. */
const PAUSE_MS = 20;

const versions = new Map<string, Set<string>>(NAMES.map((name) => [name, new Set()]));
const failures = new Set<string>();
const count = { looks: 0, calls: 0 };
const isOver = (): boolean => existsSync(stop);

async function watchFiles(): Promise<void> {
  while (!isOver()) {
    for (const name of NAMES)
      try {
        const { ino, size, mode } = statSync(join(directory, name));
        versions.get(name)?.add(`${ino}: ${size} bytes, mode ${mode.toString(8)}`);
      } catch (error) {
        failures.add(String(error));
      }
    count.looks += 1;
    await sleep(1);
  }
}

async function callPlugins(): Promise<void> {
  while (!isOver())
    for (const name of NAMES) {
      const answer = await callVersion(join(directory, name));
      if (!/"supportedVersions":\[/.test(answer)) failures.add(`${name} VERSION: ${answer}`);
      count.calls += 1;
      await sleep(PAUSE_MS);
    }
}

function callVersion(executable: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(executable, [], { env: CALL.env, stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stdin.on("error", () => undefined); // it has answered without reading
    child.stdin.end(CALL.input);
    child.on("error", (error) => {
      resolve(String(error));
    });
    child.on("close", () => {
      resolve(output);
    });
  });
}

await Promise.all([watchFiles(), callPlugins()]);
const files = Object.fromEntries([...versions].map(([name, descriptions]) => [name, [...descriptions]]));
const existing = readdirSync(directory).filter((name) => name.startsWith("interlay"));
process.stdout.write(JSON.stringify({ ...count, failures: [...failures], files, there: existing.sort() }));
