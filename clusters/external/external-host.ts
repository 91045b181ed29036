import type { DockerEngine } from "../docker/engine.ts";
import type { ExternalHost } from "../provider/provider.ts";
import { createExternalContainer } from "./external-container.ts";
import { createProgramStream } from "./program-stream.ts";

/** Place and image of an external host. */
interface ExternalHostOptions {
  readonly cluster: string;
  /** Docker network: the underlay, or one that is routed to it. */
  readonly network: string;
  readonly image: string;
}

/** The container of an external host. */
interface StartedHost extends ExternalHost {
  /** Stops the container and removes it. */
  stop(): Promise<void>;
}

/** Starts a container that is not part of the cluster, and removes an earlier one in its network. */
export async function startExternalHost(engine: DockerEngine, options: ExternalHostOptions): Promise<StartedHost> {
  const { network } = options;
  const container = await createExternalContainer(engine, options);
  const started = await container.withAddedCapabilities("NET_ADMIN", "NET_RAW").start();
  const address6 = await findIpv6Address(engine, started.getId(), network);
  return {
    address: started.getIpAddress(network),
    ...(address6 === "" ? {} : { address6 }),
    // testcontainers' exec returns only when the program has ended, so `docker exec` provides the stream.
    attach: (argv) =>
      Promise.resolve(createProgramStream(["docker", "exec", "-i", started.getId(), ...argv], engine.env)),
    exec: async (argv) => {
      const { exitCode, stdout, stderr } = await started.exec([...argv]);
      return { exitCode, stdout, stderr };
    },
    stop: async () => {
      await started.stop({ timeout: 1000 });
    },
  };
}

/** Returns the IPv6 address of a container in a network; an empty string without IPv6. */
async function findIpv6Address(engine: DockerEngine, container: string, network: string): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").GlobalIPv6Address}}`;
  return (await engine.docker(["inspect", "--format", format, container])).stdout.trim();
}
