import { runOrThrow } from "../components/run-command.ts";
import type { DockerEngine } from "../docker/engine.ts";
import { removeExternalContainers } from "../external/external-container.ts";
import { startExternalHost } from "../external/external-host.ts";
import type { RoutedClient } from "../provider/provider.ts";
import { DOCKER_CHAIN, findBridge, HOST_IPTABLES } from "./egress.ts";
import { getNetworkName } from "./network-step.ts";

/** Returns the name of the Docker network with clients that are neither on the underlay nor in the cluster. */
function getClientNetworkName(cluster: string): string {
  return `${cluster}-clients`;
}

/**
 * Starts a host in a separate Docker network. This machine routes between that network and the underlay and does not translate
 * the host's address: without the rules, Docker would drop packets between its networks. testcontainers creates networks without
 * options, so the Docker command creates this one.
 */
export async function startRoutedClient(engine: DockerEngine, cluster: string, image: string): Promise<RoutedClient> {
  await removeClientNetwork(engine, cluster);
  const network = getClientNetworkName(cluster);
  const options = ["--driver", "bridge", "--opt", "com.docker.network.bridge.enable_ip_masquerade=false"];
  const { exitCode, stderr } = await engine.docker(["network", "create", ...options, network]);
  if (exitCode !== 0) throw new Error(`cannot create the Docker network ${network}: ${stderr.trim()}`);
  for (const rule of await listRules(engine, cluster)) await runOrThrow([...HOST_IPTABLES, "-I", ...rule]);
  const host = await startExternalHost(engine, { cluster, network, image });
  return {
    ...host,
    stop: async () => {
      await host.stop();
      await removeClientNetwork(engine, cluster);
    },
  };
}

/** Removes the network, its hosts and the rules for it. Does nothing if the network does not exist. */
export async function removeClientNetwork(engine: DockerEngine, cluster: string): Promise<void> {
  const network = getClientNetworkName(cluster);
  await removeExternalContainers(engine, cluster, network);
  for (const rule of await listRules(engine, cluster))
    await runOrThrow([...HOST_IPTABLES, "-D", ...rule]).catch(() => ""); // of an interrupted start
  if ((await findBridge(engine, network)) === undefined) return;
  const { exitCode, stderr } = await engine.docker(["network", "rm", network]);
  if (exitCode !== 0) throw new Error(`cannot remove the Docker network ${network}: ${stderr.trim()}`);
}

/** Lists the rules that accept packets between the two networks; none if one of them does not exist. */
async function listRules(engine: DockerEngine, cluster: string): Promise<readonly (readonly string[])[]> {
  const [clients, underlay] = await Promise.all(
    [getClientNetworkName(cluster), getNetworkName(cluster)].map((network) => findBridge(engine, network)),
  );
  if (clients === undefined || underlay === undefined) return [];
  const accept = (from: string, to: string) => [DOCKER_CHAIN, "-i", from, "-o", to, "-j", "ACCEPT"];
  return [accept(clients, underlay), accept(underlay, clients)];
}
