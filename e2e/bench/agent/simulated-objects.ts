import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { type Ip, parseIp } from "../../../plugin/datapath/address.ts";
import { toObjectName } from "../../../plugin/ipam/pool/object-name.ts";
import { buildLabels } from "../../../plugin/ipam/records/address-labels.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { type StoredObject, writeToEtcd } from "./etcd-objects.ts";

const PARALLEL = 16;
export const SCALE = { nodes: 5000, addressesPerNode: 30 } as const;
export const ADDRESSES = SCALE.nodes * SCALE.addressesPerNode;
export const POOL = "crowd";

/** Lists the names of the nodes that do not run. */
export function listSimulatedNodes(): readonly string[] {
  return Array.from({ length: SCALE.nodes }, (_, index) => `crowd-${index + 1}`);
}

/**
 * Creates the objects of many nodes, which do not run: Node, NodeState and Calico block of each, and the addresses of its pods. They
 * are always ready, because the lab's controllers are stopped.
 */
export async function createObjects(cluster: Cluster, kube: KubeClient, nodes: readonly string[]): Promise<void> {
  await kube.create(RESOURCE.underlayPools, {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayPool",
    metadata: { name: POOL },
    spec: { subnet: "10.64.0.0/13", ranges: ["10.64.0.0/14"], podSelector: { matchLabels: { crowd: "yes" } } },
  });
  await writeToEtcd(cluster, nodes.flatMap(buildNodeObjects));
  const { addressesPerNode } = SCALE;
  const addresses = nodes.flatMap((node, index) =>
    Array.from({ length: addressesPerNode }, (_, offset) => buildAddress(node, index * addressesPerNode + offset)),
  );
  await writeToEtcd(cluster, addresses);
}

/** Changes addresses and waits until the watches have delivered the changes. */
export async function changeAddresses(kube: KubeClient, addresses: number): Promise<void> {
  await pLimit(PARALLEL).map([...Array(addresses).keys()], (index) =>
    kube.mergePatch(RESOURCE.underlayAddresses, toObjectName(getAddress(index)), {
      metadata: { annotations: { disturbed: String(performance.now()) } },
    }),
  );
  await sleep(1000);
}

/** Returns an address from 10.64.0.1 on: a pool does not count the address of its network. */
function getAddress(index: number): Ip {
  const host = index + 1;
  return parseIp(`10.${64 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`);
}

function buildNodeObjects(name: string, index: number): readonly StoredObject[] {
  const metadata = { name };
  const cidr = `10.${128 + (index >> 10)}.${(index >> 2) & 255}.${(index & 3) * 64}/26`;
  const addresses = [{ type: "InternalIP", address: `10.80.${index >> 8}.${index & 255}` }];
  const status = { addresses, conditions: [{ type: "Ready", status: "True" }] };
  return [
    { prefix: "minions", apiVersion: "v1", kind: "Node", metadata, spec: {}, status },
    { prefix: "interlay.dev/nodestates", apiVersion: GROUP_VERSION, kind: "NodeState", metadata },
    {
      prefix: "crd.projectcalico.org/blockaffinities",
      apiVersion: "crd.projectcalico.org/v1",
      kind: "BlockAffinity",
      metadata: { name: `${name}-block` },
      spec: { node: name, cidr, state: "confirmed", deleted: "false" },
    },
  ];
}

function buildAddress(node: string, index: number): StoredObject {
  const address = getAddress(index);
  const pod = { namespace: "crowd", name: `${node}-${index}`, uid: `uid-${index}` };
  const spec = { address, pool: POOL, node, containerId: `container-${index}`, ifname: "net1", network: "crowd", pod };
  return {
    prefix: "interlay.dev/underlayaddresses",
    apiVersion: GROUP_VERSION,
    kind: "UnderlayAddress",
    metadata: { name: toObjectName(address), labels: buildLabels(spec) },
    spec,
  };
}
