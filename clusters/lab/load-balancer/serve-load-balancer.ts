import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions, type V1Service } from "@kubernetes/client-node";
import { runOrThrow } from "../../components/run-command.ts";
import { buildMachineCommand } from "../machines/nsenter.ts";
import type { LabMachines } from "../machines/machine-addresses.ts";
import {
  type BalancedAddresses,
  type BalancedService,
  findVirtualAddress,
  HOLDER_ANNOTATION,
  planBalancedAddresses,
} from "./plan-addresses.ts";

const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const PERIOD_MS = 300;

interface LoadBalancerOptions {
  readonly kubeconfig: string;
  readonly machines: LabMachines;
  /** Returns the first process of a node's machine. */
  readonly findMachine: (node: string) => number;
  readonly log: (line: string) => void;
}

/**
 * Does what MetalLB in layer-2 mode and kube-vip do: assigns addresses to LoadBalancer Services, and adds them to a node's
 * link. Runs until the lab ends.
 */
export async function serveLoadBalancer({
  kubeconfig,
  machines,
  findMachine,
  log,
}: LoadBalancerOptions): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const workers = machines.nodes.filter(({ role }) => role === "worker");
  const link = machines.management === undefined ? "eth0" : "eth1";
  const findAddress = (family: "IPv4" | "IPv6", index: number) =>
    findVirtualAddress(family, index, workers[0]?.address ?? "", machines.gateway6);
  /** Node by address. */
  let held: ReadonlyMap<string, string> = new Map();
  for (;;) {
    try {
      const { items } = await core.listServiceForAllNamespaces({ resourceVersion: "0" });
      const planned = planBalancedAddresses(
        items.filter(({ spec }) => spec?.type === "LoadBalancer").map(readService),
        workers.map(({ name }) => name),
        findAddress,
      );
      held = await moveAddresses(held, planned, (node, verb, address) => {
        const cidr = `${address}/${address.includes(":") ? 128 : 32}`;
        return runOrThrow(buildMachineCommand(findMachine(node), ["ip", "address", verb, cidr, "dev", link]));
      });
      for (const service of planned) if (service.changed) await writeAddresses(core, service);
    } catch (error) {
      log(`load balancer: ${String(error)}`);
    }
    await sleep(PERIOD_MS);
  }
}

/** Adds addresses to nodes, and deletes those that no Service has any more. @returns the new node by address */
async function moveAddresses(
  held: ReadonlyMap<string, string>,
  planned: readonly BalancedAddresses[],
  change: (node: string, verb: "replace" | "delete", address: string) => Promise<unknown>,
): Promise<ReadonlyMap<string, string>> {
  const next = new Map(
    planned.flatMap(({ node, ingress, externalIps }) =>
      [...ingress, ...externalIps].map((address): [string, string] => [address, node]),
    ),
  );
  for (const [address, node] of held) if (next.get(address) !== node) await change(node, "delete", address);
  for (const [address, node] of next) if (held.get(address) !== node) await change(node, "replace", address);
  return next;
}

async function writeAddresses(
  core: CoreV1Api,
  { namespace, name, ingress, externalIps }: BalancedAddresses,
): Promise<void> {
  await core.patchNamespacedService({ namespace, name, body: { spec: { externalIPs: externalIps } } }, MERGE);
  const status = { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } };
  await core.patchNamespacedServiceStatus({ namespace, name, body: { status } }, MERGE);
}

function readService({ metadata, spec, status }: V1Service): BalancedService {
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    holder: metadata?.annotations?.[HOLDER_ANNOTATION],
    ipFamilies: (spec?.ipFamilies ?? ["IPv4"]).map((family) => (family === "IPv6" ? "IPv6" : "IPv4")),
    ingress: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
    externalIps: spec?.externalIPs ?? [],
  };
}
