import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import type { Cluster, ExternalHost } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { retryOnServerError, type ClusterApi, ensureObject, removeNamespace } from "../support/cluster-api.ts";
import { listFamilies, type IpFamily, getFamily } from "../../clusters/spec/address-ranges.ts";
import { Prober } from "../support/prober.ts";
import { type Cell, EXTERNAL, type Nic, type NodeRef } from "../cells/cell.ts";
import type { Features } from "../cells/features.ts";
import type { SourceRef } from "../cells/expected-source.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { findFeatures } from "./detect-features.ts";
import { readOverlayAddresses } from "../pods/node-addresses.ts";
import { DIGEST, findHostPort, hostPodName, type Manifest, createManifests, NAMESPACE } from "../pods/pods.ts";

export const CLIENT = ["/usr/local/bin/probe", "client"];
const READY_TIMEOUT_MS = 120_000;

/** Multus writes one entry for each interface. */
const networkStatus = z.array(
  z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]), default: z.boolean().optional() }),
);

/** At most one address of each family. */
type Addresses = Readonly<Partial<Record<IpFamily, string>>>;

export interface DeployedPod {
  readonly name: string;
  readonly node: string;
  readonly addresses: Readonly<Record<Nic, Addresses>>;
}

/** What a cell probes. */
interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** Undefined: the server is a probe, or a connection is enough. */
  readonly url?: string;
}

/** The running pods of the three types, with everything that cells need. */
export interface Deployment {
  /** Namespace of the pods and Services. */
  readonly namespace: string;
  /** Pods that run but are not ready, each with its node: the cells show the cause. */
  readonly notReady: readonly string[];
  readonly workers: readonly string[];
  /** Families of the addresses of every pod and Service. */
  readonly families: readonly IpFamily[];
  readonly pods: ReadonlyMap<string, DeployedPod>;
  /** Features of the cluster that only some clusters have. */
  readonly features: Features;
  /** Whether the settings of overlay and kube-proxy are those of the variant's environment. */
  readonly settingsKnown: boolean;
  /** False if another solution than Interlay decides which source a server sees. */
  readonly judgesSources: boolean;
  /** Undefined if the cluster has no external host. */
  readonly external: ExternalHost | undefined;
  readonly externalName: string;
  prober(from: string): Promise<Prober>;
  /** Returns the address and port that a cell probes. */
  locate(cell: Pick<Cell, "to" | "protocol" | "port" | "family">): ProbeTarget;
  /** Returns an endpoint's own address: the source that a server sees without translation. */
  addressOf(endpoint: string, nic: Nic, family?: IpFamily): string;
  /** Returns the possible addresses of a source; undefined if the cluster does not show them. */
  findSources(source: SourceRef, family: IpFamily): readonly string[] | undefined;
  closeProbers(): Promise<void>;
}

const VIRTUAL_ADDRESSES_TIMEOUT_MS = 30_000;

/**
 * Creates the missing pods and waits until every pod is ready; pods that run but are not ready are in `notReady`. Pods of another
 * image are recreated.
 * @throws an error if a pod does not run, with the last warning
 */
export async function deploy(cluster: Cluster, api: ClusterApi, timeoutMs = READY_TIMEOUT_MS): Promise<Deployment> {
  const workers = cluster.nodes.filter((node) => node.role === "worker").map((node) => node.name);
  const families = listFamilies(cluster.spec);
  const { network, nodeAccess, namespace = NAMESPACE, hostPort = TCP_PORT, podSettings } = cluster;
  const features = await findFeatures(cluster, api);
  const { hostPorts, vips: balanced } = features;
  const hostPods = nodeAccess !== "none";
  const wanted = createManifests(cluster.probeImage, workers, {
    families,
    namespace,
    hostPort,
    network,
    hostPods,
    hostPorts,
    balanced,
    settings: podSettings,
  });
  await removeForeign(api, namespace, wanted);
  const [namespaceObject, ...rest] = wanted;
  if (namespaceObject !== undefined) await ensureObject(api, namespaceObject);
  await Promise.all(rest.map((object) => ensureObject(api, object)));
  const names = wanted.filter((object) => object.kind === "Pod").map(({ metadata }) => metadata.name);
  const { pods, notReady } = await untilReady(api, namespace, names, timeoutMs);
  if (balanced) await waitForVirtualAddresses(api, namespace);
  const [services, external, overlayAddresses] = await Promise.all([
    readServices(api, namespace),
    cluster.external(),
    readOverlayAddresses(cluster),
  ]);
  const externalName = (await external?.exec(["hostname"]))?.stdout.trim() ?? "";
  const apiServer = (await api.core.readNamespacedService({ name: "kubernetes", namespace: "default" })).spec
    ?.clusterIP;
  const outside: Addresses = byFamily([external?.address, external?.address6]);
  const addressOf = (endpoint: string, nic: Nic, family: IpFamily = families[0] ?? "ipv4"): string => {
    const address = (endpoint === EXTERNAL ? outside : pods.get(endpoint)?.addresses[nic])?.[family];
    if (address === undefined)
      throw new Error(`Pod ${endpoint} has no ${family} address on ${nic}: is Multus running on its node?`);
    return address;
  };
  const findNode = (node: NodeRef) =>
    cluster.nodes.find(({ name, role }) => (typeof node === "number" ? name === workers[node] : role === node));
  const nodeAddress = (node: NodeRef, family: IpFamily): string => {
    const { address, address6 } = findNode(node) ?? {};
    return known(byFamily([address, address6])[family], `the ${family} address of node ${node}`);
  };
  const findSources = (source: SourceRef, family: IpFamily): readonly string[] | undefined => {
    if ("endpoint" in source) return [addressOf(source.endpoint, source.nic, family)];
    if (source.network === "node") return [nodeAddress(source.node, family)];
    const overlay = overlayAddresses.get(findNode(source.node)?.name ?? "");
    if (overlay === undefined) return undefined;
    const { tunnel, bridge, first } = overlay;
    if (source.network === "tunnel") return [tunnel[family] ?? nodeAddress(source.node, family)];
    // On a link without addresses, IPv6 chooses the source with the longest common prefix: the tunnel's (RFC 6724).
    const own = bridge[family] ?? (family === "ipv6" ? tunnel.ipv6 : undefined);
    if (own !== undefined) return [own];
    const internal = nodeAddress(source.node, family);
    return [...new Set([internal, first[family] ?? internal])];
  };
  const hostPodNames = new Set(workers.map((_, index) => hostPodName(index)));
  const probers = new Map<string, Promise<Prober>>();
  return {
    namespace,
    notReady,
    workers,
    families,
    pods,
    external,
    externalName,
    addressOf,
    findSources,
    features,
    judgesSources: cluster.datapath !== "none",
    settingsKnown: hasCapability(cluster.provider, "create-clusters"),
    prober: (from) => {
      const known = probers.get(from);
      if (known !== undefined) return known;
      const stream = from === EXTERNAL ? getExternalHost(external).attach(CLIENT) : api.attach(namespace, from, CLIENT);
      const made = stream.then((s) => new Prober(from, s).waitUntilStarted());
      probers.set(from, made);
      return made;
    },
    locate: ({ to, protocol, port, family }) => {
      switch (to.kind) {
        case "pod":
          return {
            address: addressOf(to.pod, to.nic, family),
            port: port !== 0 && hostPodNames.has(to.pod) ? hostPort : port,
          };
        case "external":
          return { address: addressOf(EXTERNAL, "main", family), port };
        case "external-target": {
          const { host, port: targetPort = 0, url } = known(cluster.externalTarget, "the target of --external");
          return { address: host, port: targetPort, ...(url === undefined ? {} : { url }) };
        }
        case "api-server":
          return { address: known(apiServer, "the Service kubernetes"), port: 443 };
        case "service":
          return {
            address: known(services.get(to.service)?.clusterIPs[family], `the Service ${to.service} (${family})`),
            port,
          };
        case "node-port": {
          const nodePort = services.get(to.service)?.nodePorts[protocol === "udp" ? "udp" : "tcp"];
          return { address: nodeAddress(to.node, family), port: known(nodePort, `the NodePort of ${to.service}`) };
        }
        case "vip":
          return {
            address: known(services.get(to.service)?.vips[to.source][family], `a ${to.source} of ${to.service}`),
            port,
          };
        case "host-port":
          return {
            address: nodeAddress(to.node, family),
            port: known(findHostPort(to.pod), `the host port of ${to.pod}`),
          };
      }
    },
    closeProbers: async () => {
      await Promise.all([...probers.values()].map(async (prober) => (await prober).close()));
      probers.clear();
    },
  };
}

/** Returns the external host. @throws an error if there is none, as in an existing cluster */
export function getExternalHost(external: ExternalHost | undefined): ExternalHost {
  if (external === undefined) throw new Error("the cluster has no external host");
  return external;
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} does not exist: delete the namespace of the suite and run again.`);
  return value;
}

/** Removes the namespace if its pods have another image or other manifests, or will not recover. */
async function removeForeign(api: ClusterApi, namespace: string, wanted: readonly Manifest[]): Promise<void> {
  const { items } = await retryOnServerError(() =>
    api.core.listNamespace({ fieldSelector: `metadata.name=${namespace}` }),
  );
  const [found] = items;
  if (found === undefined) return;
  const there = await retryOnServerError(() => api.core.listNamespacedPod({ namespace }));
  const broken = there.items.some((pod) => pod.status?.phase === "Failed" || pod.status?.phase === "Unknown");
  const foreign = found.metadata?.annotations?.[DIGEST] !== wanted[0]?.metadata.annotations?.[DIGEST];
  if (foreign || broken) await removeNamespace(api, namespace);
}

/** @param wanted names of the pods; chaos has other pods in the namespace */
async function untilReady(
  api: ClusterApi,
  namespace: string,
  wanted: readonly string[],
  timeoutMs: number,
): Promise<Pick<Deployment, "pods" | "notReady">> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const all = await retryOnServerError(() => api.core.listNamespacedPod({ namespace }));
    const items = all.items.filter(({ metadata }) => wanted.includes(metadata?.name ?? ""));
    const missing = wanted.filter((name) => !items.some(({ metadata }) => metadata?.name === name));
    const waiting = items.filter(({ status }) => !reportsReady(status));
    const pods = new Map(items.map(toDeployedPod).map((pod) => [pod.name, pod]));
    if (waiting.length === 0 && missing.length === 0) return { pods, notReady: [] };
    if (Date.now() > deadline) {
      const names = waiting.map((pod) => `${pod.metadata?.name ?? "?"} on ${pod.spec?.nodeName ?? "no node"}`);
      if (
        missing.length === 0 &&
        items.every(({ status }) => status?.phase === "Running" && status.podIP !== undefined)
      )
        return { pods, notReady: names };
      const events = await api.core.listNamespacedEvent({ namespace });
      const warnings = events.items.filter((e) => e.type === "Warning").map((e) => e.message ?? "");
      throw new Error(
        `${waiting.length + missing.length} of ${wanted.length} pods are not ready after ${timeoutMs / 1000} s: ${[...names, ...missing.map((name) => `${name}, which does not exist`)].join(", ")}. ${warnings.at(-1) ?? ""}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export function toDeployedPod(pod: V1Pod): DeployedPod {
  const addresses = {
    main: byFamily((pod.status?.podIPs ?? []).map(({ ip }) => ip)),
    net1: byFamily(extraAddresses(pod.metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"])),
  };
  return { name: pod.metadata?.name ?? "", node: pod.spec?.nodeName ?? "", addresses };
}

function extraAddresses(annotation: string | undefined): readonly string[] {
  if (annotation === undefined) return [];
  return networkStatus.parse(JSON.parse(annotation)).find((entry) => entry.interface === "net1")?.ips ?? [];
}

function byFamily(addresses: readonly (string | undefined)[]): Addresses {
  const there = addresses.filter((address) => address !== undefined);
  return Object.fromEntries(there.map((address) => [getFamily(address), address]));
}

/** Waits until every Service of type LoadBalancer has an address and an external IP. */
async function waitForVirtualAddresses(api: ClusterApi, namespace: string): Promise<void> {
  const deadline = Date.now() + VIRTUAL_ADDRESSES_TIMEOUT_MS;
  for (;;) {
    const { items } = await retryOnServerError(() => api.core.listNamespacedService({ namespace }));
    const without = items.filter(
      ({ spec, status }) =>
        spec?.type === "LoadBalancer" &&
        (status?.loadBalancer?.ingress === undefined || (spec.externalIPs ?? []).length === 0),
    );
    if (without.length === 0) return;
    if (Date.now() > deadline) {
      const names = without.map(({ metadata }) => metadata?.name ?? "").join(", ");
      throw new Error(
        `no virtual address after ${VIRTUAL_ADDRESSES_TIMEOUT_MS / 1000} s: ${names}; does the cluster's load balancer run?`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function readServices(api: ClusterApi, namespace: string) {
  const { items } = await api.core.listNamespacedService({ namespace });
  return new Map(
    items.map((service) => [
      service.metadata?.name ?? "",
      {
        clusterIPs: byFamily(service.spec?.clusterIPs ?? []),
        nodePorts: Object.fromEntries((service.spec?.ports ?? []).map((port) => [port.name ?? "", port.nodePort])),
        vips: {
          "load-balancer": byFamily((service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)),
          "external-ip": byFamily(service.spec?.externalIPs ?? []),
        },
      },
    ]),
  );
}
