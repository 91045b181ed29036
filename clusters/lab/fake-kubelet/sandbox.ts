import { randomUUID } from "node:crypto";
import { runCommand, runOrThrow } from "../../components/command.ts";
import { buildMachineCommand } from "../nsenter.ts";
import {
  type CniAttachment,
  callPlugins,
  IFNAME,
  type CniConfiguration,
  type PortMapping,
  readCniConfiguration,
  type PluginResult,
} from "./cni.ts";

/** A pod's network namespace, wired. */
export interface Sandbox {
  readonly attachment: CniAttachment;
  readonly network: CniConfiguration;
  /** What ADD answered: DEL and CHECK get it back. */
  readonly result: PluginResult;
}

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly portMappings: readonly PortMapping[];
}

/** Makes the namespace and calls ADD, then CHECK. On failure DEL is called and the namespace goes: the next try is a new sandbox. */
export async function makeSandbox(machine: number, pod: PodIdentity): Promise<Sandbox> {
  const network = await readCniConfiguration(machine);
  if (network === undefined) throw new Error("The node has no CNI configuration in /etc/cni/net.d yet.");
  const name = `cni-${randomUUID()}`;
  const attachment: CniAttachment = {
    container: randomUUID().replaceAll("-", "").padEnd(64, "0"),
    netns: `/var/run/netns/${name}`,
    namespace: pod.namespace,
    pod: pod.name,
    uid: pod.uid,
    portMappings: pod.portMappings,
  };
  await runOrThrow(buildMachineCommand(machine, ["ip", "netns", "add", name]));
  try {
    await runOrThrow(buildMachineCommand(machine, ["ip", "-netns", name, "link", "set", "lo", "up"]));
    const result = await callPlugins("ADD", machine, network, attachment);
    if (result === undefined) throw new Error("The plugins answered nothing.");
    return { attachment, network, result };
  } catch (error) {
    await callPlugins("DEL", machine, network, attachment).catch(() => undefined); // the first error is the one to tell
    await removeNamespace(machine, attachment);
    throw error;
  }
}

/** As a runtime that asks whether all is as ADD left it. */
export async function checkSandbox(machine: number, { attachment, network, result }: Sandbox): Promise<void> {
  await callPlugins("CHECK", machine, network, attachment, result);
}

/** DEL, with the result that ADD gave, then the namespace. */
export async function removeSandbox(machine: number, { attachment, network, result }: Sandbox): Promise<void> {
  await callPlugins("DEL", machine, network, attachment, result);
  await removeNamespace(machine, attachment);
}

/** GC with the sandboxes that the network has wired: the plugins remove what they have beside these. */
export async function collectGarbage(
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
  await runCommand(buildMachineCommand(machine, ["ip", "netns", "delete", netns.slice(netns.lastIndexOf("/") + 1)]));
}

/** The pod's addresses, first as PodIP: IPv4, as kubelet has it on nodes whose first address is one. */
export function listAddresses(result: PluginResult): readonly string[] {
  const addresses = result.ips.map(({ address }) => address.split("/")[0] ?? address);
  return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}
