import { GenericContainer, type StartedTestContainer } from "testcontainers";
import type { DockerEngine } from "../docker/engine.ts";
import type { ExternalHost } from "../provider/provider.ts";
import { createProgramStream } from "./program-stream.ts";

/** Label of external hosts, by which `down` finds those of a killed run. */
const EXTERNAL_LABEL = "dev.interlay.external";

/** Place and image of an external host. */
interface ExternalHostOptions {
  readonly cluster: string;
  /** Docker network: the underlay, or one that is routed to it. */
  readonly network: string;
  readonly image: string;
}

/** Starts a container that is not part of the cluster, in place of an earlier one in that network. */
export async function startExternalHost(
  engine: DockerEngine,
  { cluster, network, image }: ExternalHostOptions,
): Promise<{ readonly host: ExternalHost; stop(): Promise<void> }> {
  // testcontainers reads these when it first connects. Its reaper needs an image from a registry; `down` removes by label.
  Object.assign(process.env, engine.env, { TESTCONTAINERS_RYUK_DISABLED: "true" });
  await removeExternalHosts(engine, cluster, network);
  const started: StartedTestContainer = await new GenericContainer(image)
    .withNetworkMode(network)
    .withLabels({ [EXTERNAL_LABEL]: cluster })
    .withAddedCapabilities("NET_ADMIN", "NET_RAW")
    .start();
  const address6 = await findIpv6Address(engine, started.getId(), network);
  const exec = (argv: readonly string[]) => ["docker", "exec", "-i", started.getId(), ...argv];
  return {
    host: {
      address: started.getIpAddress(network),
      ...(address6 === "" ? {} : { address6 }),
      attach: (argv) => Promise.resolve(createProgramStream(exec(argv), engine.env)),
      exec: (argv) => engine.docker(exec(argv).slice(1)),
    },
    stop: async () => {
      await started.stop({ timeout: 1000 });
    },
  };
}

/** Removes the external hosts of a cluster. @param network the one Docker network whose hosts are removed; undefined: all */
export async function removeExternalHosts(engine: DockerEngine, cluster: string, network?: string): Promise<void> {
  const filters = [`label=${EXTERNAL_LABEL}=${cluster}`, ...(network === undefined ? [] : [`network=${network}`])];
  const ids = (await engine.docker(["ps", "-aq", ...filters.flatMap((filter) => ["--filter", filter])])).stdout
    .split("\n")
    .filter((id) => id !== "");
  if (ids.length > 0) await engine.docker(["rm", "--force", ...ids]);
}

/** Returns an empty string in a network without IPv6. */
async function findIpv6Address(engine: DockerEngine, container: string, network: string): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").GlobalIPv6Address}}`;
  return (await engine.docker(["inspect", "--format", format, container])).stdout.trim();
}
