import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getGateway } from "../../clusters/spec/address-ranges.ts";
import { Eventually } from "../harness.ts";
import { runOnNode } from "../support/agent-process.ts";

const LOOPBACK = "127.0.0.1";
/** Unit of a node that forwards the registry's port. */
const UNIT = "interlay-registry-forward";

/** A registry on this computer's loopback address, which kind's nodes reach at the same address and port. */
export class LoopbackRegistry {
  /** Address and port, the beginning of references. */
  readonly host: string;
  readonly #cluster: Cluster;
  readonly #process: ChildProcess;
  readonly #forwarder: Server;
  readonly #directory: string;

  private constructor(
    host: string,
    cluster: Cluster,
    { process, forwarder, directory }: { process: ChildProcess; forwarder: Server; directory: string },
  ) {
    this.host = host;
    this.#cluster = cluster;
    this.#process = process;
    this.#forwarder = forwarder;
    this.#directory = directory;
  }

  /** Starts the registry. Container runtimes use registries at loopback addresses without TLS. */
  static async start(cluster: Cluster): Promise<LoopbackRegistry> {
    const components = await resolveComponents([{ name: "crane", version: VERSIONS.crane }], createPlainProgress());
    const port = await findFreePort();
    const host = `${LOOPBACK}:${port}`;
    const directory = await mkdtemp(join(tmpdir(), "interlay-registry-"));
    const argv = ["registry", "serve", "--address", host, "--disk", directory];
    const process = spawn(components.path("crane"), argv, { stdio: "ignore" });
    const forwarder = createForwarder(port);
    const registry = new LoopbackRegistry(host, cluster, { process, forwarder, directory });
    try {
      await registry.#connectNodes(port);
    } catch (error) {
      await registry.close();
      throw error;
    }
    return registry;
  }

  /** Removes what `start` made on the nodes, and stops the registry. */
  async close(): Promise<void> {
    for (const { name } of this.#cluster.nodes) await this.#cluster.exec(name, ["systemctl", "stop", UNIT]);
    this.#forwarder.close();
    this.#process.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #connectNodes(port: number): Promise<void> {
    await Eventually(
      "the registry answers",
      () => fetch(`http://${this.host}/v2/`).then(({ ok }) => ok),
      (ok) => ok,
    );
    const gateway = getGateway(this.#cluster.spec.underlayCidr);
    this.#forwarder.listen(port, gateway);
    await once(this.#forwarder, "listening");
    const relay = ["socat", `TCP-LISTEN:${port},bind=${LOOPBACK},fork,reuseaddr`, `TCP:${gateway}:${port}`];
    for (const { name } of this.#cluster.nodes)
      await runOnNode(this.#cluster, name, ["systemd-run", `--unit=${UNIT}`, "--collect", ...relay]);
  }
}

/** Creates a server that forwards connections to a port of this computer's loopback address. */
function createForwarder(port: number): Server {
  return createServer((client) => {
    const upstream = connect(port, LOOPBACK);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream])
      socket.on("error", () => {
        client.destroy();
        upstream.destroy();
      });
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
