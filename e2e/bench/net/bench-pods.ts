import { basename } from "node:path";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";
import { findNetns } from "../../agent/streams.ts";
import { type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { Eventually } from "../../harness.ts";
import { createNetworkAnnotations } from "../../pods/suite-pods.ts";
import { type BenchPod, IPERF_PORT, SOCKPERF_PORT } from "./bench-pod.ts";
import { InterlayParts } from "./parts.ts";
import { ON_LAST_CPU } from "./cpu-pinning.ts";
import type { Endpoint, BenchEndpointKind } from "./net-paths.ts";

const NAMESPACE = "interlay-bench";
const NAMESPACE_OBJECT = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
const KINDS: readonly BenchEndpointKind[] = ["overlay", "underlay", "multi-nic", "plain-macvlan", "plain-multi"];
/** Kinds that Interlay configures; it does not change overlay pods. */
const CONFIGURED_KINDS: readonly BenchEndpointKind[] = ["underlay", "multi-nic"];
const NAD = "k8s.cni.cncf.io/v1";

/** Number of pods of a kind; there are several, because equal pods differ in speed. */
const PODS_OF_A_KIND = 5;
const ROLES = [
  ["a", 1],
  ["b", 1],
  ["b", 2],
] as const;
type Role = (typeof ROLES)[number][0];

export interface BenchPods {
  /** Returns a client (`a`) or server (`b`); each turn uses the next of the equal pods. */
  readonly place: (end: Endpoint, role: Role, turn: number) => BenchPod;
  /** Returns the address of the Service of an overlay pod on worker 2. */
  readonly service: (turn: number) => string;
}

const networkStatus = z.array(z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]) }));
const getPodName = (kind: BenchEndpointKind, worker: number, role: Role, turn: number): string =>
  `${kind}-${worker}-${role}${turn % PODS_OF_A_KIND}`;

/** Creates the pods on the first two workers and starts the servers. */
export async function createBenchPods(cluster: Cluster, api: ClusterApi): Promise<BenchPods> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  if (!(await ensureObject(api, NAMESPACE_OBJECT)))
    throw new Error(`the namespace ${NAMESPACE} already exists: delete it and run again`);
  const copies = Array.from({ length: PODS_OF_A_KIND }, (_, index) => index);
  const manifests = KINDS.flatMap((kind) =>
    ROLES.flatMap(([role, worker]) =>
      copies.map((replica) => ({
        kind,
        name: getPodName(kind, worker, role, replica),
        node: workers[worker - 1],
        isServer: role === "b",
      })),
    ),
  );
  const [prefix = ""] = /^\d+\.\d+/.exec(cluster.spec.underlayCidr) ?? [];
  for (const [index, { kind, name, node = "" }] of manifests.entries()) {
    if (kind.startsWith("plain")) await ensureObject(api, createPlainNetwork(name, `${prefix}.201.${index + 1}/16`));
    await ensureObject(api, createPod(name, node, cluster.probeImage, kind));
  }
  const podsByNic = new Map<string, BenchPod>();
  for (const { kind, name, node = "", isServer } of manifests) {
    const addresses = await readAddresses(api, name);
    const netns = await findNetns(cluster, node, addresses.main);
    const parts = await InterlayParts.create(cluster, { node, netns });
    if (parts.isEmpty === CONFIGURED_KINDS.includes(kind))
      throw new Error(`pod ${name} has ${parts.isEmpty ? "no" : "a"} configuration of Interlay in its network`);
    const pod = { node, netns, parts };
    podsByNic.set(`${name} main`, { ...pod, address: addresses.main });
    if (addresses.net1 !== undefined) podsByNic.set(`${name} net1`, { ...pod, address: addresses.net1 });
    if (isServer) await startServers(cluster, node, netns);
  }
  const services: string[] = [];
  for (const target of copies.map((copy) => getPodName("overlay", 2, "b", copy))) {
    await ensureObject(api, createService(target));
    const { spec } = await api.core.readNamespacedService({ namespace: NAMESPACE, name: target });
    services.push(spec?.clusterIP ?? "");
  }
  return {
    service: (turn) => services[turn % PODS_OF_A_KIND] ?? "",
    place: ({ kind, worker, nic }, role, turn) => {
      const benchPod = podsByNic.get(`${getPodName(kind, worker, role, turn)} ${nic}`);
      if (benchPod === undefined) throw new Error(`no ${nic} of a ${kind} pod on worker ${worker}`);
      return benchPod;
    },
  };
}

/** Starts iperf3 and sockperf as daemons in the pod's network; they end with the lab. */
async function startServers(cluster: Cluster, node: string, netns: string): Promise<void> {
  const inPod = ["nsenter", `--net=${netns}`, "--", ...ON_LAST_CPU];
  await runOnNode(cluster, node, [...inPod, "iperf3", "--server", "--daemon", "--port", String(IPERF_PORT)]);
  // sockperf --daemonize would keep stdout open and block this call
  await runOnNode(cluster, node, [
    ...inPod,
    "start-stop-daemon",
    "--start",
    "--background",
    "--pidfile",
    `/run/sockperf-${basename(netns)}`,
    "--startas",
    "/usr/bin/sockperf",
    "--",
    "server",
    "--tcp",
    "-i",
    "0.0.0.0",
    "-p",
    String(SOCKPERF_PORT),
  ]);
}

/** Creates a network of the reference macvlan plugin, with an address that no pool contains. */
function createPlainNetwork(name: string, address: string) {
  const config = {
    cniVersion: "1.0.0",
    name,
    plugins: [{ type: "macvlan", master: "eth0", mode: "bridge", ipam: { type: "static", addresses: [{ address }] } }],
  };
  return {
    apiVersion: NAD,
    kind: "NetworkAttachmentDefinition",
    metadata: { name, namespace: NAMESPACE },
    spec: { config: JSON.stringify(config) },
  };
}

function createPod(name: string, nodeName: string, image: string, kind: BenchEndpointKind) {
  const networkName = `${NAMESPACE}/${name}`;
  const podAnnotations =
    kind === "plain-macvlan"
      ? { "v1.multus-cni.io/default-network": networkName }
      : kind === "plain-multi"
        ? { "k8s.v1.cni.cncf.io/networks": networkName }
        : createNetworkAnnotations(kind);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { bench: name }, annotations: podAnnotations },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      containers: [{ name: "sleep", image, imagePullPolicy: "IfNotPresent", command: ["sleep", "infinity"] }],
    },
  };
}

function createService(name: string) {
  const port = (portName: string, number: number) => ({ name: portName, protocol: "TCP", port: number });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      selector: { bench: name },
      ports: [port("iperf3", IPERF_PORT), port("sockperf", SOCKPERF_PORT)],
    },
  };
}

async function readAddresses(api: ClusterApi, name: string) {
  const { metadata, status } = await Eventually(
    `pod ${name} runs`,
    () => api.core.readNamespacedPod({ namespace: NAMESPACE, name }),
    (pod) => pod.status?.phase === "Running" && pod.status.podIP !== undefined,
    { timeout: 120_000 },
  );
  const entries = networkStatus.parse(JSON.parse(metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]"));
  return { main: status?.podIP ?? "", net1: entries.find((entry) => entry.interface === "net1")?.ips[0] };
}
