import { createHash } from "node:crypto";
import { POD_TYPES, type PodType } from "../../results/schema.ts";
import { HOLDER_ANNOTATION } from "../../clusters/lab/load-balancer/plan-addresses.ts";
import { OWNER_LABEL } from "../../clusters/provider.ts";
import type { IpFamily } from "../../clusters/spec.ts";
import { TCP_PORT, UDP_PORT } from "../probe/protocol.ts";

/** Default namespace of the suite's pods and Services. */
export const NAMESPACE = "interlay-e2e";
/** Host ports of the answering pods: one a type, the same on every node. */
const HOST_PORTS: Readonly<Record<PodType, number>> = { overlay: 18_081, underlay: 18_082, "multi-nic": 18_083 };
export const FIRST_HOST_PORT: number = Math.min(...Object.values(HOST_PORTS));
export const LAST_HOST_PORT: number = Math.max(...Object.values(HOST_PORTS));
/** The host port of one of the answering pods. */
export function findHostPort(pod: string): number | undefined {
  const type = POD_TYPES.find((one) => new RegExp(`^${one}-\\d+-b$`).test(pod));
  return type && HOST_PORTS[type];
}
/** What an underlay link is made from: the NetworkAttachmentDefinition that Interlay deploys. */
const UNDERLAY = "interlay-system/underlay";
/** The suite's pods enter the node's network and send pings: what Pod Security calls privileged. */
const NAMESPACE_LABELS = { [OWNER_LABEL]: "e2e", "pod-security.kubernetes.io/enforce": "privileged" };

/** `a` asks, `b` answers: two of each type on a node, so that a pod can talk to another of its own type there. */
export type Role = "a" | "b";
export const podName = (type: PodType, node: number, role: Role): string => `${type}-${node + 1}-${role}`;
export const hostPodName = (node: number): string => `node-${node + 1}`;
export const serviceName = (type: PodType, node: number): string => `${type}-${node + 1}`;
export const ownServiceName = (type: PodType, node: number): string => `${type}-${node + 1}-own`;
export type TrafficPolicy = "Cluster" | "Local";
export const nodePortName = (type: PodType, policy: TrafficPolicy): string => `${type}-${policy.toLowerCase()}`;
/** A NodePort Service with policy Local whose one endpoint is on the first worker: the other nodes have no local endpoint. */
export const localFirstName = (type: PodType): string => `${type}-local-first`;
/** A LoadBalancer Service whose virtual addresses that worker holds. */
export const balancedName = (type: PodType, node: number): string => `${type}-balanced-${node + 1}`;
/**
 * With policy Cluster a NodePort Service has one endpoint, on the first worker: the other nodes forward. With Local it has
 * one on every worker, and each must answer by its own.
 */
export const NODE_PORT_BACKEND = 0;

/** In Service.spec.ipFamilies. */
const SERVICE_FAMILY = { ipv4: "IPv4", ipv6: "IPv6" } as const;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: "Namespace" | "Pod" | "Service";
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

/** What a namespace of the suite was made from. Objects cannot all be changed in place: others are made anew. */
export const DIGEST = "interlay.dev/manifests";

interface ManifestOptions extends PodPlace {
  readonly families?: readonly IpFamily[];
  /** `NAMESPACE/NAME` that underlay links are made from, if not Interlay's. */
  readonly network?: string | undefined;
  /** Whether there are pods in the nodes' own network. */
  readonly hostPods?: boolean;
  /** Whether there are Services of type LoadBalancer, one of each type of pod for each worker that holds their addresses. */
  readonly balanced?: boolean;
  /** Whether the answering pods have host ports. */
  readonly hostPorts?: boolean;
}

/** Namespace and port of the suite's pods. */
interface PodPlace {
  /** Default: NAMESPACE. */
  readonly namespace?: string | undefined;
  /** Port of the pods in the nodes' network. Default: TCP_PORT. */
  readonly hostPort?: number | undefined;
}

/** The namespace, the pods (three types, two roles, each worker; one in each worker's own network), the Services. */
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
  }: ManifestOptions = {},
): readonly Manifest[] {
  const service = (name: string, selector: Readonly<Record<string, string>>, nodePort?: TrafficPolicy) =>
    createService({ name, namespace }, selector, nodePort, ipFamilies);
  const objects: readonly Manifest[] = [
    ...workers.flatMap((node, index) => [
      ...(hostPods ? [pod(hostPodName(index), node, image, {}, {}, { hostNetwork: true, namespace, hostPort })] : []),
      ...POD_TYPES.flatMap((type) => [
        pod(podName(type, index, "a"), node, image, createNetworkAnnotations(type, network), {}, { namespace }),
        pod(
          podName(type, index, "b"),
          node,
          image,
          createNetworkAnnotations(type, network),
          { answers: type },
          { hostPorts, namespace },
        ),
        service(serviceName(type, index), { probe: podName(type, index, "b") }),
        service(ownServiceName(type, index), { probe: podName(type, index, "a") }),
      ]),
    ]),
    ...POD_TYPES.flatMap((type) => [
      service(nodePortName(type, "Cluster"), { probe: podName(type, NODE_PORT_BACKEND, "b") }, "Cluster"),
      service(nodePortName(type, "Local"), { answers: type }, "Local"),
      service(localFirstName(type), { probe: podName(type, NODE_PORT_BACKEND, "b") }, "Local"),
      ...(balanced ? workers : []).map((holder, index) =>
        balance(service(balancedName(type, index), { probe: podName(type, NODE_PORT_BACKEND, "b") }), holder),
      ),
    ]),
  ];
  const digest = createHash("sha256").update(JSON.stringify(objects)).digest("hex");
  const metadata = { name: namespace, labels: NAMESPACE_LABELS, annotations: { [DIGEST]: digest } };
  return [{ apiVersion: "v1", kind: "Namespace", metadata }, ...objects];
}

/** How a pod asks Multus to be of a type. @param network `NAMESPACE/NAME` of what its underlay link is made from */
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

/** One of the suite's pods: the prober's server, ready when its node reaches it. */
export function pod(
  name: string,
  nodeName: string,
  image: string,
  annotations: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
  options: PodPlace & { readonly hostNetwork?: boolean; readonly hostPorts?: boolean } = {},
): Manifest {
  const { hostNetwork = false, hostPorts = false, namespace = NAMESPACE } = options;
  const port = hostNetwork ? (options.hostPort ?? TCP_PORT) : TCP_PORT;
  const hostPort = hostPorts ? findHostPort(name) : undefined;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { probe: name, ...labels }, annotations },
    spec: {
      nodeName,
      hostNetwork,
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "probe",
          image,
          imagePullPolicy: "IfNotPresent",
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

/** Makes a Service one of a load balancer. @param holder name of the node that holds its addresses */
function balance({ metadata, spec, ...service }: Manifest, holder: string): Manifest {
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
