import { setTimeout as sleep } from "node:timers/promises";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, inNamespace, podObject, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { type Ip, parseIp } from "../../../plugin/datapath/address.ts";
import { mapParallel } from "../ipam/parallel.ts";
import { NAMESPACE } from "../ipam/cluster-objects.ts";
import { toObjectName } from "../../../plugin/ipam/pool/object-name.ts";

const AT_ONCE = 16;
export const SCALE = { nodes: 500, podsPerNode: 10 } as const;
export const PODS = SCALE.nodes * SCALE.podsPerNode;
const POOL = "crowd";
const PODS_OF_A_NODE = [...Array(SCALE.podsPerNode).keys()];

/**
 * What that many nodes and pods leave in the API server: of each node its NodeState and its Calico block, of each pod
 * itself and its underlay address. Nobody runs them.
 */
export async function createObjects(kube: KubeClient, nodes: readonly string[]): Promise<void> {
  await kube.create(RESOURCE.underlayPools, {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayPool",
    metadata: { name: POOL },
    spec: { subnet: "10.60.0.0/16", ranges: ["10.60.0.0/17"], podSelector: { matchLabels: { crowd: "yes" } } },
  });
  await mapParallel(AT_ONCE, nodes, async (node, index) => {
    await kube.create(RESOURCE.nodeStates, { apiVersion: GROUP_VERSION, kind: "NodeState", metadata: { name: node } });
    await kube.create(RESOURCE.calicoBlocks, {
      apiVersion: "crd.projectcalico.org/v1",
      kind: "BlockAffinity",
      metadata: { name: `${node}-block` },
      spec: { node, cidr: `10.233.${64 + (index >> 2)}.${(index & 3) * 64}/26`, state: "confirmed", deleted: "false" },
    });
    for (const pod of PODS_OF_A_NODE) await makePod(kube, node, `${node}-${pod}`, index * SCALE.podsPerNode + pod);
  });
}

/** Changes that many addresses, one after another, and gives the watches time to tell. */
export async function changeAddresses(kube: KubeClient, addresses: number): Promise<void> {
  await mapParallel(AT_ONCE, [...Array(addresses).keys()], (nth) =>
    kube.mergePatch(RESOURCE.underlayAddresses, addressName(nth), {
      metadata: { annotations: { disturbed: String(performance.now()) } },
    }),
  );
  await sleep(1000);
}

const ipOf = (nth: number): Ip => parseIp(`10.60.${nth >> 8}.${nth & 255}`);
const addressName = (nth: number): string => toObjectName(ipOf(nth));

async function makePod(kube: KubeClient, nodeName: string, name: string, nth: number): Promise<void> {
  const made = await kube.create(inNamespace(RESOURCE.pods, NAMESPACE), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { crowd: "yes" } },
    spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: "none", image: "none" }] },
  });
  const { uid } = podObject.parse(made).metadata;
  await kube.create(RESOURCE.underlayAddresses, {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayAddress",
    metadata: { name: addressName(nth) },
    spec: {
      address: ipOf(nth),
      pool: POOL,
      node: nodeName,
      containerId: uid,
      ifname: "net1",
      network: "crowd",
      pod: { namespace: NAMESPACE, name, uid },
    },
  });
}
