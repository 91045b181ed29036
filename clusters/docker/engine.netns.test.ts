import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPlainProgress } from "../progress/plain.ts";
import { installDocker } from "./engine.ts";

/**
 * Runs in a new network namespace: a dockerd that starts clears the iptables chains of every other one in its namespace.
 * DOCKER_HOST names a daemon that does not answer, so that the machine's daemon is not used.
 */
const SCRIPT = `
import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { ensureEngine, stopPrivateEngine } from "${join(import.meta.dirname, "engine.ts")}";
import { createPlainProgress } from "${join(import.meta.dirname, "..", "progress", "plain.ts")}";
const progress = createPlainProgress();
const engine = await ensureEngine(progress);
const again = await ensureEngine(progress);
// ldconfig is the one program that every Debian has linked statically.
const tar = spawn("tar", ["--create", "--directory", "/", "sbin/ldconfig"], { stdio: ["ignore", "pipe", "inherit"] });
const load = spawn("docker", ["import", "-", "interlay.dev/test:1"], { env: { ...process.env, ...engine.env }, stdio: ["pipe", "ignore", "inherit"] });
tar.stdout.pipe(load.stdin);
await new Promise((resolve) => load.on("close", resolve));
const argv = ["run", "--rm", "--privileged", "--ulimit", "nofile=1048576:1048576", "--network", "none", "interlay.dev/test:1", "/sbin/ldconfig", "--version"];
const ran = await engine.docker(argv);
await stopPrivateEngine(progress);
await stopPrivateEngine(progress);
const isStopped = await access(engine.host.slice("unix://".length)).then(() => false, () => true);
process.stdout.write(JSON.stringify({ private: engine.private, same: again.host === engine.host, ran, isStopped }));
`;

describe("a private Docker daemon", () => {
  // The namespace cannot reach Debian's archive.
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    this.timeout(300_000);
    await installDocker(createPlainProgress());
  });

  it("starts, runs a privileged container, and stops", async function () {
    this.timeout(120_000);
    const cache = await mkdtemp(join(tmpdir(), "il-"));
    try {
      const child = spawn(
        "unshare",
        ["--net", process.execPath, "--import", "tsx", "--input-type=module", "--eval", SCRIPT],
        {
          env: { ...process.env, INTERLAY_CACHE: cache, DOCKER_HOST: `unix://${cache}/none.sock` },
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
      const [code] = (await once(child, "close")) as [number];
      assert.equal(code, 0);
      const { ran, ...rest } = JSON.parse(output) as { ran: { exitCode: number; stdout: string; stderr: string } };
      assert.deepEqual(rest, { private: true, same: true, isStopped: true });
      assert.equal(ran.exitCode, 0, ran.stderr);
      assert.match(ran.stdout, /^ldconfig/);
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  });
});
