import { release } from "node:os";
import type { V1Node, V1NodeAddress, V1NodeStatus } from "@kubernetes/client-node";
import { KUBELET_PORT } from "../control-plane/identities.ts";

/** Capacity for all pods of a suite. The lab does not limit resources. */
const CAPACITY = { cpu: "8", memory: "16Gi", pods: "250", "ephemeral-storage": "100Gi" };

/**
 * Returns the Node that a kubelet registers; for a control plane, with kubeadm's taint.
 *
 * @param labels additional labels (kubelet's `--node-labels`)
 */
export function buildNodeObject(
  name: string,
  role: "control-plane" | "worker",
  labels: Readonly<Record<string, string>>,
): V1Node {
  return {
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", ...labels },
    },
    spec: role === "worker" ? {} : { taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }] },
  };
}

/**
 * Directive to replace the list instead of merging it, as kubelet does: a merge by type would lose an address of a dual-stack node
 * (kubernetes/kubernetes issue 79391).
 */
const REPLACE = { $patch: "replace" } as unknown as V1NodeAddress;

/**
 * Returns a strategic merge patch of a node's status.
 *
 * @param addresses IPv4 first
 * @param version Kubernetes version of the kubelet
 * @param problem why the node cannot start pods; undefined: it is Ready
 */
export function buildKubeletStatus(
  name: string,
  addresses: readonly string[],
  version: string,
  problem: string | undefined,
): V1NodeStatus {
  const now = new Date();
  return {
    addresses: [
      ...addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: name },
      REPLACE,
    ],
    conditions: [
      {
        type: "Ready",
        status: problem === undefined ? "True" : "False",
        reason: problem === undefined ? "KubeletReady" : "NetworkPluginNotReady",
        message: problem ?? "the network's plugins can serve",
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
    capacity: CAPACITY,
    allocatable: CAPACITY,
    nodeInfo: {
      kubeletVersion: version,
      kubeProxyVersion: "",
      containerRuntimeVersion: "interlay-lab://1",
      operatingSystem: "linux",
      architecture: "amd64",
      osImage: "interlay lab",
      kernelVersion: release(),
      machineID: name,
      systemUUID: name,
      bootID: name,
    },
  };
}
