import { z } from "zod";
import type { DockerEngine } from "../docker/engine.ts";
import type { ClusterNode } from "../provider/provider.ts";
import { IMAGES_MOUNT } from "./kind-config.ts";
import { getNetworkName } from "./network-step.ts";

/** The container of a node. */
interface NodeContainer extends ClusterNode {
  readonly running: boolean;
  readonly image: string;
  /** Host directory with the node's images. */
  readonly imageStore: string;
}

const containers = z.array(
  z.object({
    Name: z.string(),
    State: z.object({ Running: z.boolean() }),
    Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()) }),
    Mounts: z.array(z.object({ Destination: z.string(), Source: z.string() })),
    NetworkSettings: z.object({
      Networks: z.record(z.string(), z.object({ IPAddress: z.string(), GlobalIPv6Address: z.string().default("") })),
    }),
  }),
);

/** Returns the nodes of a cluster, running or not, control plane first. Empty if the cluster does not exist. */
export async function listNodes(engine: DockerEngine, cluster: string): Promise<readonly NodeContainer[]> {
  const ids = await listNodeIds(engine, cluster);
  return ids.length === 0 ? [] : parseNodes((await engine.docker(["inspect", ...ids])).stdout, cluster);
}

/** Returns the ids of the nodes' containers. */
export async function listNodeIds(engine: DockerEngine, cluster: string): Promise<readonly string[]> {
  const { stdout } = await engine.docker(["ps", "-aq", "--filter", `label=io.x-k8s.kind.cluster=${cluster}`]);
  return stdout.split("\n").filter((id) => id !== "");
}

/** Parses the output of `docker inspect`. */
export function parseNodes(inspected: string, cluster: string): readonly NodeContainer[] {
  return containers
    .parse(JSON.parse(inspected))
    .map((container): NodeContainer => {
      const network = container.NetworkSettings.Networks[getNetworkName(cluster)];
      return {
        name: container.Name.replace(/^\//, ""),
        role: container.Config.Labels["io.x-k8s.kind.role"] === "control-plane" ? "control-plane" : "worker",
        address: network?.IPAddress ?? "",
        ...(network === undefined || network.GlobalIPv6Address === "" ? {} : { address6: network.GlobalIPv6Address }),
        running: container.State.Running,
        image: container.Config.Image,
        imageStore: container.Mounts.find(({ Destination }) => Destination === IMAGES_MOUNT)?.Source ?? "",
      };
    })
    .sort((a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name));
}
