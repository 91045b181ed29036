import { basename } from "node:path";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider.ts";
import { execOrThrow } from "../../support/agent-process.ts";
import { findNetns } from "../../agent/streams.ts";
import { type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { Eventually } from "../../harness.ts";
import { createNetworkAnnotations } from "../../pods/pods.ts";
import { IPERF_PORT, SOCKPERF_PORT } from "./flow.ts";
import { InterlayParts } from "./parts.ts";
import { ONE_PROCESSOR } from "./cpu-pinning.ts";
import type { Endpoint, EndpointKind } from "./paths.ts";

const NAMESPACE = "interlay-bench";
const NAMESPACE_OBJECT = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
const KINDS: readonly EndpointKind[] = ["overlay", "underlay", "multi-nic", "plain-macvlan", "plain-multi"];
/** Of Interlay in their own network: to an overlay pod it does nothing. */
const HAVE_PARTS: readonly EndpointKind[] = ["underlay", "multi-nic"];
const NAD = "k8s.cni.cncf.io/v1";

/** Where an end is. */
export interface BenchPod {
  readonly node: string;
  readonly netns: string;
  readonly address: string;
  readonly parts: InterlayParts;
}

/** Pods of each kind that ask on worker 1, and that answer on either worker: a pod is faster or slower than its twin. */
const TWINS = 5;
const ROLES = [
  ["a", 1],
  ["b", 1],
  ["b", 2],
] as const;
type Role = (typeof ROLES)[number][0];

export interface BenchPods {
  /** `a` asks, `b` answers; of the twins each turn has the next. */
  readonly place: (end: Endpoint, role: Role, turn: number) => BenchPod;
  /** Of the Service before an overlay pod on worker 2. */
  readonly service: (turn: number) => string;
}

const networkStatus = z.array(z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]) }));
const nameOf = (kind: EndpointKind, worker: number, role: Role, turn: number): string =>
  `${kind}-${worker}-${role}${turn % TWINS}`;

/** Makes the pods on the first two workers, with a server of either kind in each that answers. */
export async function createBenchPods(cluster: Cluster, api: ClusterApi): Promise<BenchPods> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  if (!(await ensureObject(api, NAMESPACE_OBJECT)))
    throw new Error(`The namespace ${NAMESPACE} is there already: take it away and run again.`);
  const twins = Array.from({ length: TWINS }, (_, twin) => twin);
  const wanted = KINDS.flatMap((kind) =>
    ROLES.flatMap(([role, worker]) =>
      twins.map((twin) => ({
        kind,
        name: nameOf(kind, worker, role, twin),
        node: workers[worker - 1],
        answers: role === "b",
      })),
    ),
  );
  const [prefix = ""] = /^\d+\.\d+/.exec(cluster.spec.underlayCidr) ?? [];
  for (const [index, { kind, name, node = "" }] of wanted.entries()) {
    if (kind.startsWith("plain")) await ensureObject(api, plainNetwork(name, `${prefix}.201.${index + 1}/16`));
    await ensureObject(api, podOf(name, node, cluster.probeImage, kind));
  }
  const places = new Map<string, BenchPod>();
  for (const { kind, name, node = "", answers } of wanted) {
    const addresses = await addressesOf(api, name);
    const netns = await findNetns(cluster, node, addresses.main);
    const parts = await InterlayParts.of(cluster, { node, netns });
    if (parts.areNone === HAVE_PARTS.includes(kind))
      throw new Error(`pod ${name} has ${parts.areNone ? "nothing" : "something"} of Interlay in its network`);
    const pod = { node, netns, parts };
    places.set(`${name} main`, { ...pod, address: addresses.main });
    if (addresses.net1 !== undefined) places.set(`${name} net1`, { ...pod, address: addresses.net1 });
    if (answers) await serve(cluster, node, netns);
  }
  const services: string[] = [];
  for (const target of twins.map((twin) => nameOf("overlay", 2, "b", twin))) {
    await ensureObject(api, serviceOf(target));
    const { spec } = await api.core.readNamespacedService({ namespace: NAMESPACE, name: target });
    services.push(spec?.clusterIP ?? "");
  }
  return {
    service: (turn) => services[turn % TWINS] ?? "",
    place: ({ kind, worker, nic }, role, turn) => {
      const place = places.get(`${nameOf(kind, worker, role, turn)} ${nic}`);
      if (place === undefined) throw new Error(`no ${nic} of a ${kind} pod on worker ${worker}`);
      return place;
    },
  };
}

/** iperf3 and sockperf, as daemons in the pod's network; they go with the lab. */
async function serve(cluster: Cluster, node: string, netns: string): Promise<void> {
  const inPod = ["nsenter", `--net=${netns}`, "--", ...ONE_PROCESSOR];
  await execOrThrow(cluster, node, [...inPod, "iperf3", "--server", "--daemon", "--port", String(IPERF_PORT)]);
  // sockperf's own --daemonize keeps our stdout, and with it this call
  await execOrThrow(cluster, node, [
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

/** The reference macvlan plugin alone; nobody else gives addresses of this part of the underlay. */
function plainNetwork(name: string, address: string) {
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

function podOf(name: string, nodeName: string, image: string, kind: EndpointKind) {
  const own = `${NAMESPACE}/${name}`;
  const asked =
    kind === "plain-macvlan"
      ? { "v1.multus-cni.io/default-network": own }
      : kind === "plain-multi"
        ? { "k8s.v1.cni.cncf.io/networks": own }
        : createNetworkAnnotations(kind);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { bench: name }, annotations: asked },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      containers: [{ name: "sleep", image, imagePullPolicy: "IfNotPresent", command: ["sleep", "infinity"] }],
    },
  };
}

function serviceOf(name: string) {
  const port = (of: string, number: number) => ({ name: of, protocol: "TCP", port: number });
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

async function addressesOf(api: ClusterApi, name: string) {
  const { metadata, status } = await Eventually(
    `pod ${name} runs`,
    () => api.core.readNamespacedPod({ namespace: NAMESPACE, name }),
    (pod) => pod.status?.phase === "Running" && pod.status.podIP !== undefined,
    { timeout: 120_000 },
  );
  const entries = networkStatus.parse(JSON.parse(metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]"));
  return { main: status?.podIP ?? "", net1: entries.find((entry) => entry.interface === "net1")?.ips[0] };
}
