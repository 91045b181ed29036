import { z } from "zod";
import { runCommand, runOrThrow } from "../components/run-command.ts";
import type { DockerEngine } from "../docker/engine.ts";

const networks = z.array(z.object({ Id: z.string(), Options: z.record(z.string(), z.string()).nullish() })).min(1);

/**
 * Returns the name of a Docker network's bridge link.
 *
 * @param inspected output of `docker network inspect`
 */
export function parseBridge(inspected: string): string {
  const [{ Id, Options } = { Id: "" }] = networks.parse(JSON.parse(inspected));
  return Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`;
}

/** Returns the rule of this machine that drops packets of nodes and pods to other networks. */
const getRule = (bridge: string): readonly string[] => ["-i", bridge, "!", "-o", bridge, "-j", "DROP"];

/** Chain of this machine for rules of others, which Docker does not change. */
export const DOCKER_CHAIN = "DOCKER-USER";
export const HOST_IPTABLES = ["iptables", "--wait"];

/**
 * Drops packets that leave the cluster's network through this machine: a packet to a Service that no rule translates follows the
 * node's default route, and must not reach other machines. Idempotent.
 */
export async function blockEgress(engine: DockerEngine, network: string): Promise<void> {
  const bridge = await findBridge(engine, network);
  if (bridge === undefined) throw new Error(`Docker network ${network} does not exist: create the cluster first`);
  if (!(await isBlocked(bridge))) await runOrThrow([...HOST_IPTABLES, "-I", DOCKER_CHAIN, ...getRule(bridge)]);
}

/** Removes the rule of `blockEgress`. Does nothing if the network does not have it. */
export async function allowEgress(engine: DockerEngine, network: string): Promise<void> {
  const bridge = await findBridge(engine, network);
  if (bridge !== undefined && (await isBlocked(bridge)))
    await runOrThrow([...HOST_IPTABLES, "-D", DOCKER_CHAIN, ...getRule(bridge)]);
}

/** Returns the bridge link of a Docker network; undefined if the network does not exist. */
export async function findBridge(engine: DockerEngine, network: string): Promise<string | undefined> {
  const { exitCode, stdout } = await engine.docker(["network", "inspect", network]);
  return exitCode === 0 ? parseBridge(stdout) : undefined;
}

async function isBlocked(bridge: string): Promise<boolean> {
  return (await runCommand([...HOST_IPTABLES, "-C", DOCKER_CHAIN, ...getRule(bridge)])).exitCode === 0;
}
