import { createHash } from "node:crypto";
import { POD_TYPES, type PodType } from "../../results/schema.ts";
import { HOLDER_ANNOTATION } from "../../clusters/lab/load-balancer/plan-addresses.ts";
import { type PodSettings, toContainerFields, toPodSpecFields } from "../../clusters/spec/pod-settings.ts";
import { OWNER_LABEL } from "../../clusters/provider/provider.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { TCP_PORT, UDP_PORT } from "../probe/protocol.ts";
import type { KubeObject } from "./kube-object.ts";

/** Default namespace of the suite's pods and Services. */
export const NAMESPACE = "interlay-e2e";
/** Host ports of the server pods: one for each type, the same on every node. */
const HOST_PORTS: Readonly<Record<PodType, number>> = { overlay: 18_081, underlay: 18_082, "multi-nic": 18_083 };
export const FIRST_HOST_PORT: number = Math.min(...Object.values(HOST_PORTS));
export const LAST_HOST_PORT: number = Math.max(...Object.values(HOST_PORTS));
/** Returns the host port of a server pod. */
export function findHostPort(pod: string): number | undefined {
  const type = POD_TYPES.find((podType) => new RegExp(`^${podType}-\\d+-b$`).test(pod));
  return type && HOST_PORTS[type];
}
/** Network of underlay links: the NetworkAttachmentDefinition that Interlay deploys. */
const UNDERLAY = "interlay-system/underlay";
/** Pod Security level of a namespace: only pods in the nodes' network, and host ports, need `privileged`. */
type PodSecurityLevel = "privileged" | "restricted";
const labelNamespace = (level: PodSecurityLevel) => ({
  [OWNER_LABEL]: "e2e",
  "pod-security.kubernetes.io/enforce": level,
});

/** `a` is a client, `b` a server: two pods of each type on a node, so that a pod can reach another of its type there. */
export type PodRole = "a" | "b";
export const podName = (type: PodType, node: number, role: PodRole): string => `${type}-${node + 1}-${role}`;
export const buildHostPodName = (node: number): string => `node-${node + 1}`;
export const buildServiceName = (type: PodType, node: number): string => `${type}-${node + 1}`;
export const buildOwnServiceName = (type: PodType, node: number): string => `${type}-${node + 1}-own`;
export type TrafficPolicy = "Cluster" | "Local";
export const buildNodePortName = (type: PodType, policy: TrafficPolicy): string => `${type}-${policy.toLowerCase()}`;
/** Returns the name of a NodePort Service with policy Local whose only endpoint is on the first worker. */
export const buildLocalFirstName = (type: PodType): string => `${type}-local-first`;
/** Returns the name of a LoadBalancer Service whose virtual addresses the worker holds. */
export const buildBalancedName = (type: PodType, node: number): string => `${type}-balanced-${node + 1}`;
/**
 * Worker with the endpoint of NodePort Services. With policy Cluster a Service has one endpoint, on the first worker: the other
 * nodes forward. With Local it has one on every worker, and each node must use its own.
 */
export const NODE_PORT_BACKEND = 0;

/** Names in Service.spec.ipFamilies. */
const SERVICE_FAMILY = { ipv4: "IPv4", ipv6: "IPv6" } as const;

export interface Manifest extends KubeObject {
  readonly kind: "Namespace" | "Secret" | "Pod" | "Service";
  /** Of a Secret. */
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Annotation with a digest of the namespace's manifests. With other manifests it is recreated, because not all objects can be
 * changed.
 */
export const DIGEST = "interlay.dev/manifests";

interface ManifestOptions extends PodPlace {
  readonly families?: readonly IpFamily[];
  /** `NAMESPACE/NAME` of the network of underlay links. Default: Interlay's. */
  readonly network?: string | undefined;
  /** Whether pods in the nodes' network are created. */
  readonly hostPods?: boolean;
  /** Whether Services of type LoadBalancer are created, for each type of pod and each worker that holds their addresses. */
  readonly balanced?: boolean;
  /** Whether the server pods have host ports. */
  readonly hostPorts?: boolean;
}

/** Namespace and port of the suite's pods. */
interface PodPlace {
  /** Default: NAMESPACE. */
  readonly namespace?: string | undefined;
  /** Port of the pods in the nodes' network. Default: TCP_PORT. */
  readonly hostPort?: number | undefined;
  /** Requirements of the cluster on pods. Default: none. */
  readonly settings?: PodSettings | undefined;
}

/** Returns the namespace, the pods (three types, two roles, each worker; one in each worker's network) and the Services. */
export function createManifests(
  image: string,
  workers: readonly string[],
  {
    families: ipFamilies = ["ipv4"],
    namespace = NAMESPACE,
    hostPort,
    network,
    hostPods = true,
    hostPorts = false,
    balanced = false,
    settings: clusterSettings,
  }: ManifestOptions = {},
): readonly Manifest[] {
  const restricted = !hostPods && !hostPorts;
  const settings: PodSettings = { ...clusterSettings, ...(restricted ? { restricted } : {}) };
  const service = (name: string, selector: Readonly<Record<string, string>>, nodePort?: TrafficPolicy) =>
    createService({ name, namespace }, selector, nodePort, ipFamilies);
  const objects: readonly Manifest[] = [
    ...(settings.pullSecrets ?? []).map(({ name, type, data }) => ({
      apiVersion: "v1",
      kind: "Secret" as const,
      metadata: { name, namespace, labels: { [OWNER_LABEL]: "e2e" } },
      type,
      data,
    })),
    ...workers.flatMap((node, index) => [
      ...(hostPods
        ? [buildPod(buildHostPodName(index), node, image, {}, {}, { hostNetwork: true, namespace, hostPort, settings })]
        : []),
      ...POD_TYPES.flatMap((type) => [
        buildPod(
          podName(type, index, "a"),
          node,
          image,
          createNetworkAnnotations(type, network),
          {},
          { namespace, settings },
        ),
        buildPod(
          podName(type, index, "b"),
          node,
          image,
          createNetworkAnnotations(type, network),
          { answers: type },
          { hostPorts, namespace, settings },
        ),
        service(buildServiceName(type, index), { probe: podName(type, index, "b") }),
        service(buildOwnServiceName(type, index), { probe: podName(type, index, "a") }),
      ]),
    ]),
    ...POD_TYPES.flatMap((type) => [
      service(buildNodePortName(type, "Cluster"), { probe: podName(type, NODE_PORT_BACKEND, "b") }, "Cluster"),
      service(buildNodePortName(type, "Local"), { answers: type }, "Local"),
      service(buildLocalFirstName(type), { probe: podName(type, NODE_PORT_BACKEND, "b") }, "Local"),
      ...(balanced ? workers : []).map((holder, index) =>
        addBalancer(service(buildBalancedName(type, index), { probe: podName(type, NODE_PORT_BACKEND, "b") }), holder),
      ),
    ]),
  ];
  const digest = createHash("sha256").update(JSON.stringify(objects)).digest("hex");
  const labels = labelNamespace(restricted ? "restricted" : "privileged");
  const metadata = { name: namespace, labels, annotations: { [DIGEST]: digest } };
  return [{ apiVersion: "v1", kind: "Namespace", metadata }, ...objects];
}

/**
 * Returns the annotations that make a pod one of the type.
 * @param network `NAMESPACE/NAME` of the network of its underlay link
 */
export function createNetworkAnnotations(type: PodType, network = UNDERLAY): Readonly<Record<string, string>> {
  switch (type) {
    case "overlay":
      return {};
    case "underlay":
      return { "v1.multus-cni.io/default-network": network };
    case "multi-nic":
      return { "k8s.v1.cni.cncf.io/networks": network };
  }
}

/** Returns a pod with the probe's server, which is ready when its node reaches it. */
export function buildPod(
  name: string,
  nodeName: string,
  image: string,
  annotations: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
  options: PodPlace & { readonly hostNetwork?: boolean; readonly hostPorts?: boolean } = {},
): Manifest {
  const { hostNetwork = false, hostPorts = false, namespace = NAMESPACE, settings = {} } = options;
  const port = hostNetwork ? (options.hostPort ?? TCP_PORT) : TCP_PORT;
  const hostPort = hostPorts ? findHostPort(name) : undefined;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { probe: name, ...labels },
      annotations: { ...settings.annotations, ...annotations },
    },
    spec: {
      nodeName,
      hostNetwork,
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      ...toPodSpecFields(settings),
      containers: [
        {
          name: "probe",
          image,
          imagePullPolicy: "IfNotPresent",
          ...toContainerFields(settings),
          env: [
            { name: "PROBE_NAME", value: name },
            ...(port === TCP_PORT ? [] : [{ name: "PROBE_PORT", value: String(port) }]),
          ],
          ...(hostPort === undefined
            ? {}
            : {
                ports: ["TCP", "UDP"].map((protocol) => ({ containerPort: TCP_PORT, hostPort, protocol })),
              }),
          // kubelet's own probe: the node must reach the pod, whatever its type.
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 60 },
        },
      ],
    },
  };
}

/** Returns a Service with type LoadBalancer. @param holder name of the node that holds its addresses */
function addBalancer({ metadata, spec, ...service }: Manifest, holder: string): Manifest {
  return {
    ...service,
    metadata: { ...metadata, annotations: { [HOLDER_ANNOTATION]: holder } },
    spec: { ...(spec as object), type: "LoadBalancer" },
  };
}

function createService(
  metadata: { readonly name: string; readonly namespace: string },
  selector: Readonly<Record<string, string>>,
  nodePort?: TrafficPolicy,
  families: readonly IpFamily[] = ["ipv4"],
): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      type: nodePort === undefined ? "ClusterIP" : "NodePort",
      ...(nodePort === undefined ? {} : { externalTrafficPolicy: nodePort }),
      selector,
      ...(families.length === 1
        ? {}
        : { ipFamilyPolicy: "RequireDualStack", ipFamilies: families.map((family) => SERVICE_FAMILY[family]) }),
      ports: [
        { name: "tcp", protocol: "TCP", port: TCP_PORT },
        { name: "udp", protocol: "UDP", port: UDP_PORT },
      ],
    },
  };
}
