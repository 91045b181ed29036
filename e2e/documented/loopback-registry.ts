import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import type { DockerEngine } from "../../clusters/docker/engine.ts";
import { type ContainerRegistry, startRegistry } from "../../clusters/external/container-registry.ts";
import { loadIntoDocker } from "../../clusters/images/load.ts";
import { buildRegistryImage } from "../../clusters/images/registry-image.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getGateway } from "../../clusters/spec/address-ranges.ts";
import { runOnNode } from "../support/agent-process.ts";

/** Unit of a node that forwards the registry's port. */
const UNIT = "interlay-registry-forward";

/** A registry on this computer's loopback address, which kind's nodes reach at the same address and port. */
export class LoopbackRegistry {
  /** Address and port, the beginning of references. */
  readonly host: string;
  readonly #cluster: Cluster;
  readonly #registry: ContainerRegistry;
  readonly #forwarder: Server;

  private constructor(cluster: Cluster, registry: ContainerRegistry) {
    this.host = `${registry.address}:${registry.port}`;
    this.#cluster = cluster;
    this.#registry = registry;
    this.#forwarder = createForwarder(registry);
  }

  /** Starts the registry. Container runtimes use registries at loopback addresses without TLS. */
  static async start(cluster: Cluster, engine: DockerEngine): Promise<LoopbackRegistry> {
    const components = await resolveComponents([{ name: "crane", version: VERSIONS.crane }], createPlainProgress());
    const image = await buildRegistryImage(components.path("crane"));
    await loadIntoDocker(engine, image);
    const options = { cluster: cluster.spec.name, image: image.reference };
    const registry = new LoopbackRegistry(cluster, await startRegistry(engine, options));
    try {
      await registry.#connectNodes();
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
    await this.#registry.stop();
  }

  async #connectNodes(): Promise<void> {
    const { address, port } = this.#registry;
    const gateway = getGateway(this.#cluster.spec.underlayCidr);
    this.#forwarder.listen(port, gateway);
    await once(this.#forwarder, "listening");
    const relay = ["socat", `TCP-LISTEN:${port},bind=${address},fork,reuseaddr`, `TCP:${gateway}:${port}`];
    for (const { name } of this.#cluster.nodes)
      await runOnNode(this.#cluster, name, ["systemd-run", `--unit=${UNIT}`, "--collect", ...relay]);
  }
}

/** Creates a server that forwards connections to the registry, which listens on this computer's loopback address. */
function createForwarder({ address, port }: ContainerRegistry): Server {
  return createServer((client) => {
    const upstream = connect(port, address);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream])
      socket.on("error", () => {
        client.destroy();
        upstream.destroy();
      });
  });
}
