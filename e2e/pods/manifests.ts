import { POD_TYPES, type PodType } from "../../results/schema.ts";
import { TCP_PORT, UDP_PORT } from "../probe/protocol.ts";

/** Where the suite's objects live. */
export const NAMESPACE = "interlay-e2e";
const UNDERLAY = "interlay-system/underlay";

/** The two pods of a type on a node: cells on the same node need a source and another target. */
const REPLICAS = ["a", "b"] as const;

export interface ProbePod {
  readonly name: string;
  readonly type: PodType;
  readonly node: string;
}

/** Multus's annotations: a default network of its own makes an underlay pod, an additional one a multi-NIC pod. */
const ANNOTATIONS: Readonly<Record<PodType, Readonly<Record<string, string>>>> = {
  overlay: {},
  underlay: { "v1.multus-cni.io/default-network": UNDERLAY },
  "multi-nic": { "k8s.v1.cni.cncf.io/networks": UNDERLAY },
};

/** Every pod of the suite: two of each type on each of `nodes`. */
export function probePods(nodes: readonly string[]): readonly ProbePod[] {
  return POD_TYPES.flatMap((type) =>
    nodes.flatMap((node, index) => REPLICAS.map((replica) => ({ name: `${type}-${index}${replica}`, type, node }))),
  );
}

/** A Service selects exactly one pod (the `b` of its type and node): who answers is known. */
export interface ProbeService {
  readonly name: string;
  readonly pod: ProbePod;
  readonly kind: "ClusterIP" | "NodePort";
  readonly policy: "Cluster" | "Local";
}

export function probeServices(pods: readonly ProbePod[]): readonly ProbeService[] {
  return pods
    .filter(({ name }) => name.endsWith("b"))
    .flatMap((pod): ProbeService[] => [
      { name: pod.name, pod, kind: "ClusterIP", policy: "Cluster" },
      { name: `${pod.name}-np`, pod, kind: "NodePort", policy: "Cluster" },
      { name: `${pod.name}-np-local`, pod, kind: "NodePort", policy: "Local" },
    ]);
}

type Manifest = Readonly<Record<string, unknown>>;

export function podManifest(pod: ProbePod, image: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: pod.name,
      namespace: NAMESPACE,
      labels: { app: "interlay-probe", type: pod.type, pod: pod.name },
      annotations: ANNOTATIONS[pod.type],
    },
    spec: {
      nodeName: pod.node,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "probe",
          image,
          imagePullPolicy: "IfNotPresent",
          env: [{ name: "PROBE_NAME", value: pod.name }],
          readinessProbe: { tcpSocket: { port: TCP_PORT }, periodSeconds: 1, failureThreshold: 60 },
          securityContext: { capabilities: { add: ["NET_RAW"] } },
        },
      ],
    },
  };
}

export function serviceManifest({ name, pod, kind, policy }: ProbeService): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE, labels: { app: "interlay-probe" } },
    spec: {
      type: kind,
      selector: { pod: pod.name },
      ...(kind === "NodePort" ? { externalTrafficPolicy: policy } : {}),
      ports: [
        { name: "tcp", protocol: "TCP", port: TCP_PORT },
        { name: "udp", protocol: "UDP", port: UDP_PORT },
      ],
    },
  };
}
