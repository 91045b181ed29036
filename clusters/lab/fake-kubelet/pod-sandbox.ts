import { randomUUID } from "node:crypto";
import type { V1Pod } from "@kubernetes/client-node";
import { runCommand, runOrThrow } from "../../components/run-command.ts";
import { buildMachineCommand } from "../machines/nsenter.ts";
import {
  callPlugins,
  type CniAttachment,
  type CniConfiguration,
  IFNAME,
  type PluginResult,
  type PortMapping,
  readCniConfiguration,
} from "./cni-calls.ts";

/** A pod's network namespace after a successful ADD. */
export interface Sandbox {
  readonly attachment: CniAttachment;
  readonly network: CniConfiguration;
  /** Result of ADD, for DEL and CHECK. */
  readonly result: PluginResult;
}

/**
 * Creates a network namespace and calls ADD. After a failure it calls DEL and removes the namespace: the next attempt is a
 * new sandbox.
 */
export async function createSandbox(machine: number, pod: V1Pod): Promise<Sandbox> {
  const network = await readCniConfiguration(machine);
  if (network === undefined) throw new Error("cannot start the pod: the node has no CNI configuration yet");
  const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
  const netns = `cni-${randomUUID()}`;
  const attachment: CniAttachment = {
    container: randomUUID().replaceAll("-", "").padEnd(64, "0"),
    netns: `/var/run/netns/${netns}`,
    namespace,
    pod: name,
    uid,
    portMappings: listPortMappings(pod),
  };
  await runOrThrow(buildMachineCommand(machine, ["ip", "netns", "add", netns]));
  try {
    await runOrThrow(buildMachineCommand(machine, ["ip", "-netns", netns, "link", "set", "lo", "up"]));
    const result = await callPlugins("ADD", machine, network, attachment);
    if (result === undefined) throw new Error("the CNI plugins returned no result");
    return { attachment, network, result };
  } catch (error) {
    await callPlugins("DEL", machine, network, attachment).catch(() => undefined); // ADD's error is the one to report
    await removeNamespace(machine, attachment);
    throw error;
  }
}

/** Calls CHECK with the result of ADD. */
export async function checkSandbox(machine: number, { attachment, network, result }: Sandbox): Promise<void> {
  await callPlugins("CHECK", machine, network, attachment, result);
}

/** Calls DEL with the result of ADD, then removes the namespace. */
export async function removeSandbox(machine: number, { attachment, network, result }: Sandbox): Promise<void> {
  await callPlugins("DEL", machine, network, attachment, result);
  await removeNamespace(machine, attachment);
}

/** Calls GC with the sandboxes of a network: the plugins release the resources of all others. */
export async function callPluginGc(
  machine: number,
  network: CniConfiguration,
  sandboxes: readonly Sandbox[],
): Promise<void> {
  const valid = sandboxes
    .filter((sandbox) => sandbox.network.name === network.name)
    .map(({ attachment }) => ({ containerID: attachment.container, ifname: IFNAME }));
  await callPlugins("GC", machine, network, undefined, undefined, valid);
}

async function removeNamespace(machine: number, { netns }: CniAttachment): Promise<void> {
  const name = netns.slice(netns.lastIndexOf("/") + 1);
  await runCommand(buildMachineCommand(machine, ["ip", "netns", "delete", name]));
}

/** Returns the pod's addresses, IPv4 first: the first is its podIP. */
export function listResultAddresses(result: PluginResult): readonly string[] {
  const addresses = result.ips.map(({ address }) => address.split("/")[0] ?? address);
  return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

function listPortMappings({ spec }: V1Pod): readonly PortMapping[] {
  return (spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort, containerPort, protocol = "TCP", hostIP }) =>
      hostPort === undefined
        ? []
        : [{ hostPort, containerPort, protocol: protocol.toLowerCase(), ...(hostIP === undefined ? {} : { hostIP }) }],
    );
}
