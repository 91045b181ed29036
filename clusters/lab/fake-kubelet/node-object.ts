import { release } from "node:os";
import type { V1Node, V1NodeAddress, V1NodeStatus } from "@kubernetes/client-node";
import { KUBELET_PORT } from "../control-plane/component-arguments.ts";

/** Room for every pod that a suite makes: the lab measures none. */
const CAPACITY = { cpu: "8", memory: "16Gi", pods: "250", "ephemeral-storage": "100Gi" };

/** The Node as a kubelet registers it; a control plane's with kubeadm's taint. @param labels more of them (`--node-labels`) */
export function buildNodeObject(
  name: string,
  role: "control-plane" | "worker",
  labels: Readonly<Record<string, string>> = {},
): V1Node {
  return {
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", ...labels },
    },
    spec: role === "worker" ? {} : { taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }] },
  };
}

/** As kubelet does: the list is merged by type, of which a dual-stack node has two (kubernetes/kubernetes issue 79391). */
const REPLACE = { $patch: "replace" } as unknown as V1NodeAddress;

/** A patch, to be merged by key. @param trouble why pods cannot be wired here, if so: then the node is not Ready, as with any runtime */
export function buildNodeStatus(
  name: string,
  addresses: readonly string[],
  version: string,
  trouble: string | undefined,
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
        status: trouble === undefined ? "True" : "False",
        reason: trouble === undefined ? "KubeletReady" : "NetworkPluginNotReady",
        message: trouble ?? "the network's plugins can serve",
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
