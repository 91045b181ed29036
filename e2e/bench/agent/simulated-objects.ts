import { setTimeout as sleep } from "node:timers/promises";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, inNamespace, podObject, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { type Ip, parseIp } from "../../../plugin/datapath/address.ts";
import { buildLabels } from "../../../plugin/ipam/records/address-labels.ts";
import pLimit from "p-limit";
import { IPAM_BENCH_NAMESPACE } from "../ipam/cluster-objects.ts";
import { toObjectName } from "../../../plugin/ipam/pool/object-name.ts";

const PARALLEL = 16;
export const SCALE = { nodes: 500, podsPerNode: 10 } as const;
export const PODS = SCALE.nodes * SCALE.podsPerNode;
const POOL = "crowd";
const PODS_OF_A_NODE = [...Array(SCALE.podsPerNode).keys()];

/**
 * Creates the objects of many nodes and pods, which do not run: NodeState and Calico block of each node, each pod and its
 * underlay address.
 */
export async function createObjects(kube: KubeClient, nodes: readonly string[]): Promise<void> {
  await kube.create(RESOURCE.underlayPools, {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayPool",
    metadata: { name: POOL },
    spec: { subnet: "10.60.0.0/16", ranges: ["10.60.0.0/17"], podSelector: { matchLabels: { crowd: "yes" } } },
  });
  await pLimit(PARALLEL).map(nodes, async (node, index) => {
    await kube.create(RESOURCE.nodeStates, { apiVersion: GROUP_VERSION, kind: "NodeState", metadata: { name: node } });
    await kube.create(RESOURCE.calicoBlocks, {
      apiVersion: "crd.projectcalico.org/v1",
      kind: "BlockAffinity",
      metadata: { name: `${node}-block` },
      spec: { node, cidr: `10.233.${64 + (index >> 2)}.${(index & 3) * 64}/26`, state: "confirmed", deleted: "false" },
    });
    for (const pod of PODS_OF_A_NODE) await createPod(kube, node, `${node}-${pod}`, index * SCALE.podsPerNode + pod);
  });
}

/** Changes addresses and waits until the watches have delivered the changes. */
export async function changeAddresses(kube: KubeClient, addresses: number): Promise<void> {
  await pLimit(PARALLEL).map([...Array(addresses).keys()], (nth) =>
    kube.mergePatch(RESOURCE.underlayAddresses, getAddressName(nth), {
      metadata: { annotations: { disturbed: String(performance.now()) } },
    }),
  );
  await sleep(1000);
}

const getAddress = (nth: number): Ip => parseIp(`10.60.${nth >> 8}.${nth & 255}`);
const getAddressName = (nth: number): string => toObjectName(getAddress(nth));

async function createPod(kube: KubeClient, nodeName: string, name: string, nth: number): Promise<void> {
  const created = await kube.create(inNamespace(RESOURCE.pods, IPAM_BENCH_NAMESPACE), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { crowd: "yes" } },
    spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: "none", image: "none" }] },
  });
  const { uid } = podObject.parse(created).metadata;
  const spec = {
    address: getAddress(nth),
    pool: POOL,
    node: nodeName,
    containerId: uid,
    ifname: "net1",
    network: "crowd",
    pod: { namespace: IPAM_BENCH_NAMESPACE, name, uid },
  };
  await kube.create(RESOURCE.underlayAddresses, {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayAddress",
    metadata: { name: getAddressName(nth), labels: buildLabels(spec) },
    spec,
  });
}
