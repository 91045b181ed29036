/**
 * Simulated nodes: each has what an agent has for its pods' addresses, i.e. its own connection to the API server, its own
 * watches of everything, store, records and allocator. Started by Bun, as the agent is. Reads a crew, says "ready", then
 * answers orders until its input ends.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { KubeConfig } from "@kubernetes/client-node";
import { ClusterAddressStore } from "../../../plugin/agent/server/cluster-address-store.ts";
import { ClusterCache } from "../../../plugin/agent/discovery/cluster-cache.ts";
import { hasStatus, KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { inNamespace, podObject, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { Allocator } from "../../../plugin/ipam/allocator/allocator.ts";
import { Records } from "../../../plugin/ipam/records/records.ts";
import { mapParallel } from "./parallel.ts";
import {
  type WorkerMessage,
  workerMessage,
  type WorkerOrder,
  orderMessage,
  type WorkerOutcome,
  POD_LABELS,
} from "./orders.ts";
import { getErrorMessage } from "../../../clusters/error-message.ts";

/** As the agent's loop. */
const SYNC_MS = 10_000;
const PODS_AT_ONCE = 4;

interface SimulatedNode {
  readonly allocator: Allocator;
  readonly pods: readonly { readonly name: string; readonly uid: string }[];
}

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const first = await lines.next();
const { namespace, ...told } = workerMessage.parse(JSON.parse(String(first.value)));
const nodes = await Promise.all(told.nodes.map((node) => start(node)));
say("ready");
for (let line = await lines.next(); line.done !== true; line = await lines.next())
  say(await carryOut(orderMessage.parse(JSON.parse(line.value))));
process.exit(0);

async function start({ name, pods }: WorkerMessage["nodes"][number]): Promise<SimulatedNode> {
  const config = new KubeConfig();
  config.loadFromFile(told.kubeconfig);
  const kube = new KubeClient(config);
  const made = await makePods(kube, name, pods);
  const view = new ClusterCache(kube, name);
  view.start(() => undefined);
  const allocator = new Allocator(new ClusterAddressStore(kube, view, name), new Records(join(told.directory, name)));
  await view.ready();
  setInterval(() => void allocator.sync().catch(() => undefined), SYNC_MS).unref();
  return { allocator, pods: made };
}

/** Its pods in the API server; those of an earlier crew are the same ones. */
async function makePods(kube: KubeClient, nodeName: string, count: number): Promise<SimulatedNode["pods"]> {
  const resource = inNamespace(RESOURCE.pods, namespace);
  const pods: { readonly name: string; readonly uid: string }[] = [];
  await mapParallel(PODS_AT_ONCE, [...Array(count).keys()], async (index) => {
    const name = `${nodeName}-${index}`;
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: POD_LABELS },
      spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: "none", image: "none" }] },
    };
    const object = await kube.create(resource, pod).catch((error: unknown) => {
      if (!hasStatus(error, 409)) throw error;
      return kube.get(resource, name);
    });
    pods.push({ name, uid: podObject.parse(object).metadata.uid });
  });
  return pods;
}

async function carryOut(what: WorkerOrder): Promise<WorkerOutcome> {
  const outcome: WorkerOutcome = { given: [], failed: [] };
  await Promise.all(nodes.map((node) => fill(node, what, outcome)));
  return outcome;
}

async function fill(
  { allocator, pods }: SimulatedNode,
  { pools, atOnce }: WorkerOrder,
  outcome: WorkerOutcome,
): Promise<void> {
  const waiting = pods.entries();
  const worker = async () => {
    for (const [index, pod] of waiting)
      for (const pool of [...pools.keys()].map((i) => pools[(i + index) % pools.length] ?? ""))
        try {
          const started = performance.now();
          const request = { containerId: `${pod.name}-${pool}`, ifname: ifnameOf(pool), network: "bench", netns: "" };
          const { ips } = await allocator.allocate({ ...request, pools: [pool], pod: { namespace, ...pod } });
          const milliseconds = performance.now() - started;
          for (const { address } of ips) outcome.given.push({ pool, address, milliseconds });
        } catch (error) {
          outcome.failed.push(getErrorMessage(error));
        }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A pod has one address of a pool: on a NIC of its own. */
function ifnameOf(pool: string): string {
  return pool.slice(-15);
}
