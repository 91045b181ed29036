#!/usr/bin/env node
// Starts the TypeScript program with this package's own Node.js: an older one on the PATH cannot load its dependencies.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const node = join(dirname(require.resolve("node/package.json")), "bin", "node");
const tsx = pathToFileURL(require.resolve("tsx")).href;
const script = join(import.meta.dirname, "..", "interlay.ts");
const child = spawn(node, ["--import", tsx, script, ...process.argv.slice(2)], { stdio: "inherit" });
// A terminal sends SIGINT to the program itself.
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", ({ message }) => {
  process.stderr.write(`interlay: Node.js of the package node cannot be started: ${message}. Run npm ci.\n`);
  process.exit(2);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
