import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSIONS } from "../components/catalog.ts";
import { resolveComponents } from "../components/resolve.ts";
import { runOrThrow } from "../components/run-command.ts";
import { installDocker } from "../docker/engine.ts";
import { createPlainProgress } from "../progress/plain.ts";

const CLUSTERS = join(import.meta.dirname, "..");

/** Runs in a new network namespace, with a Docker daemon of its own. CRANE is the path of the registry's program. */
const SCRIPT = `
import { ensureEngine, stopPrivateEngine } from "${CLUSTERS}/docker/engine.ts";
import { runOrThrow } from "${CLUSTERS}/components/run-command.ts";
import { startRegistry } from "${CLUSTERS}/external/container-registry.ts";
import { loadIntoDocker } from "${CLUSTERS}/images/load.ts";
import { buildRegistryImage } from "${CLUSTERS}/images/registry-image.ts";
import { createPlainProgress } from "${CLUSTERS}/progress/plain.ts";
const progress = createPlainProgress();
await runOrThrow(["ip", "link", "set", "lo", "up"]);
const engine = await ensureEngine(progress);
const run = async (...argv) => {
  const { exitCode, stdout, stderr } = await engine.docker(argv);
  if (exitCode !== 0) throw new Error(argv.join(" ") + ": " + stderr);
  return stdout.trim();
};
try {
  const image = await buildRegistryImage(process.env.CRANE);
  await loadIntoDocker(engine, image);
  const registry = await startRegistry(engine, { cluster: "test", image: image.reference });
  const reference = registry.address + ":" + registry.port + "/test:1";
  const listening = await runOrThrow(["ss", "-Hltn", "sport = :" + registry.port]);
  await run("tag", image.reference, reference);
  await run("push", reference);
  await run("image", "rm", reference);
  await run("pull", reference);
  await registry.stop();
  const containers = await run("ps", "-aq");
  process.stdout.write(JSON.stringify({ address: registry.address, listening: listening.split(/\\s+/)[3], port: registry.port, containers }));
} finally {
  await stopPrivateEngine(progress);
}
`;

describe("a registry in a container", () => {
  let crane = "";

  // The namespace cannot reach the sources of the program and Debian's archive.
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    this.timeout(300_000);
    const progress = createPlainProgress();
    await installDocker(progress);
    crane = (await resolveComponents([{ name: "crane", version: VERSIONS.crane }], progress)).path("crane");
  });

  it("listens on loopback only, keeps what is pushed, and leaves no container when it is stopped", async function () {
    this.timeout(180_000);
    const cache = await mkdtemp(join(tmpdir(), "il-"));
    try {
      const argv = ["unshare", "--net", process.execPath, "--import", "tsx", "--input-type=module", "--eval", SCRIPT];
      const env = { INTERLAY_CACHE: cache, DOCKER_HOST: `unix://${cache}/none.sock`, CRANE: crane };
      const printed = JSON.parse(await runOrThrow(argv, { env })) as Record<string, unknown>;
      const { port, ...rest } = printed;
      assert.deepEqual(rest, { address: "127.0.0.1", listening: `127.0.0.1:${String(port)}`, containers: "" });
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  });
});
