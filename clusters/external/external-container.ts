import { GenericContainer } from "testcontainers";
import type { DockerEngine } from "../docker/engine.ts";

/** Label of a cluster's external containers, by which `down` finds those of a killed run. */
const EXTERNAL_LABEL = "dev.interlay.external";

/** Describes a container that is not part of the cluster. */
interface ContainerRequest {
  readonly cluster: string;
  /** Docker network. */
  readonly network: string;
  readonly image: string;
}

/** Creates an external container without starting it, and removes earlier ones in its network. */
export async function createExternalContainer(
  engine: DockerEngine,
  { cluster, network, image }: ContainerRequest,
): Promise<GenericContainer> {
  // testcontainers reads these when it first connects. Its reaper needs an image from a registry; `down` removes by label.
  Object.assign(process.env, engine.env, { TESTCONTAINERS_RYUK_DISABLED: "true" });
  await removeExternalContainers(engine, cluster, network);
  return new GenericContainer(image).withNetworkMode(network).withLabels({ [EXTERNAL_LABEL]: cluster });
}

/**
 * Removes the external containers of a cluster.
 * @param network the one Docker network whose containers are removed; undefined: all
 */
export async function removeExternalContainers(engine: DockerEngine, cluster: string, network?: string): Promise<void> {
  const filters = [`label=${EXTERNAL_LABEL}=${cluster}`, ...(network === undefined ? [] : [`network=${network}`])];
  const ids = (await engine.docker(["ps", "-aq", ...filters.flatMap((filter) => ["--filter", filter])])).stdout
    .split("\n")
    .filter((id) => id !== "");
  if (ids.length > 0) await engine.docker(["rm", "--force", ...ids]);
}
