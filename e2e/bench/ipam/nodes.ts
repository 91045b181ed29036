/**
 * Process of simulated nodes. Each has the parts of an agent that allocate addresses: connection to the API server, watches,
 * store, records, allocator, and the socket of CNI calls. Runs under Bun, as the agent does. Reads the settings, writes "ready", then executes orders until
 * its input ends.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { ClusterAddressStore } from "../../../plugin/agent/server/cluster-address-store.ts";
import { ClusterCache } from "../../../plugin/agent/discovery/cluster-cache.ts";
import { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { hasStatus } from "../../../plugin/kubernetes/kube-error.ts";
import { inNamespace, podObject, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { serveCni } from "../../../plugin/agent/server/cni-server.ts";
import { buildPaths } from "../../../plugin/cni/plugin-paths.ts";
import { executeIpam } from "../../../plugin/ipam/execute-ipam.ts";
import { Allocator } from "../../../plugin/ipam/allocator/allocator.ts";
import { SYSTEM_CLOCK } from "../../../plugin/ipam/waiting/exhaustion-wait.ts";
import { Records } from "../../../plugin/ipam/records/address-records.ts";
import pLimit from "p-limit";
import {
  type WorkerMessage,
  workerMessage,
  type WorkerOrder,
  orderMessage,
  type WorkerOutcome,
  POD_LABELS,
  SOCKET_FILE,
} from "./orders.ts";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";

/** Interval of the agent's loop. */
const SYNC_MS = 10_000;
const PARALLEL_PODS = 4;

interface SimulatedNode {
  readonly allocator: Allocator;
  readonly pods: readonly { readonly name: string; readonly uid: string }[];
}

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const send = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const firstLine = await lines.next();
const { namespace, ...settings } = workerMessage.parse(JSON.parse(String(firstLine.value)));
const nodes = await Promise.all(settings.nodes.map((node) => startNode(node)));
send("ready");
for (let line = await lines.next(); line.done !== true; line = await lines.next())
  send(await runOrder(orderMessage.parse(JSON.parse(line.value))));
process.exit(0);

async function startNode({ name, pods }: WorkerMessage["nodes"][number]): Promise<SimulatedNode> {
  const config = loadKubeConfig(settings);
  const kube = KubeClient.multiplex(config);
  const createdPods = await createPods(kube, name, pods);
  const cache = new ClusterCache(kube, name);
  cache.start(() => undefined);
  const state = join(settings.directory, name);
  const allocator = new Allocator(new ClusterAddressStore(kube, cache, name), new Records(join(state, "addresses")), {
    waitClock: SYSTEM_CLOCK,
    stateDirectory: state,
  });
  await cache.waitUntilReady();
  const paths = buildPaths(state, join(state, "cni.log"));
  const listener = { refused: () => undefined, answered: () => undefined };
  await serveCni({
    path: join(state, SOCKET_FILE),
    paths,
    ipam: (env, stdin) => executeIpam(env, stdin, { allocator, listener, paths }),
  });
  setInterval(() => void allocator.sync().catch(() => undefined), SYNC_MS).unref();
  return { allocator, pods: createdPods };
}

/** Creates the pods of a node in the API server; existing ones are reused. */
async function createPods(kube: KubeClient, nodeName: string, count: number): Promise<SimulatedNode["pods"]> {
  const resource = inNamespace(RESOURCE.pods, namespace);
  const pods: { readonly name: string; readonly uid: string }[] = [];
  await pLimit(PARALLEL_PODS).map([...Array(count).keys()], async (index) => {
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

async function runOrder(order: WorkerOrder): Promise<WorkerOutcome> {
  const outcome: WorkerOutcome = { given: [], failed: [] };
  await Promise.all(nodes.map((node) => allocateAddresses(node, order, outcome)));
  return outcome;
}

async function allocateAddresses(
  { allocator, pods }: SimulatedNode,
  { pools, atOnce }: WorkerOrder,
  outcome: WorkerOutcome,
): Promise<void> {
  await pLimit(atOnce).map(pods, async (pod, index) => {
    for (const pool of [...pools.keys()].map((offset) => pools[(offset + index) % pools.length] ?? ""))
      try {
        const started = performance.now();
        const request = {
          containerId: `${pod.name}-${pool}`,
          ifname: getInterfaceName(pool),
          network: "bench",
          netns: "",
        };
        const { ips } = await allocator.allocate({ ...request, pools: [pool], pod: { namespace, ...pod } });
        const milliseconds = performance.now() - started;
        for (const { address } of ips) outcome.given.push({ pool, address, milliseconds });
      } catch (error) {
        outcome.failed.push(getErrorMessage(error));
      }
  });
}

/** Returns the interface of a pool, because a pod has one address of each pool. */
function getInterfaceName(pool: string): string {
  return pool.slice(-15);
}
