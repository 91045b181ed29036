import { type KubernetesObject, PatchStrategy } from "@kubernetes/client-node";
import { createNetworkAnnotations, NAMESPACE } from "../pods/suite-pods.ts";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { FACTS } from "../support/installed-paths.ts";
import type { Fault } from "./doctor-fault.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const MULTUS_CONFIG = "/etc/cni/net.d/00-multus.conf";
/** Calico's configuration for Multus in the suite's clusters. */
const CALICO_CONFIG = "/etc/cni/multus/net.d/10-calico.conflist";
const EARLIER_CONFIG = "/etc/cni/net.d/00-a-calico.conflist";

/** Returns annotations that select an UnderlayNetwork of the suite's namespace as the default network. */
function selectNetwork(name: string): Readonly<Record<string, string>> {
  return { "v1.multus-cni.io/default-network": `${NAMESPACE}/${name}` };
}

/** Builds an UnderlayNetwork of the suite's namespace. */
export function buildUnderlayNetwork(name: string, spec: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  const object = {
    apiVersion: GROUP_VERSION,
    kind: "UnderlayNetwork",
    metadata: { name },
    spec: { namespace: NAMESPACE, pools: ["underlay"], ...spec },
  };
  return object;
}

/** Creates or updates a network; the agents write its definition. */
async function ensureNetwork(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = buildUnderlayNetwork(name, spec);
  if (!(await ensureObject(api, object))) await correctNetwork(api, name, spec);
}

/** Corrects a network as the finding's remedy recommends; the agents update its definition. */
async function correctNetwork(api: ClusterApi, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = buildUnderlayNetwork(name, spec);
  await api.objects.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
}

/** Faults that keep new pods from starting, or from getting their networks. */
export const START_FAULTS: readonly Fault[] = [
  {
    title: "missing uplink: a network uses a link that no node has",
    check: "uplink-missing",
    severity: "start",
    networks: ["without-uplink"],
    pod: { annotations: selectNetwork("without-uplink"), state: "waits", warning: /Link not found/ },
    make: ({ api }) => ensureNetwork(api, "without-uplink", { uplink: "bond7" }),
    undo: ({ api }) => correctNetwork(api, "without-uplink", { uplink: "eth0" }),
  },
  {
    title: "MTU too large for the uplink",
    check: "mtu",
    severity: "start",
    networks: ["too-large"],
    pod: { annotations: selectNetwork("too-large"), state: "waits", warning: /MTU/i },
    make: ({ api }) => ensureNetwork(api, "too-large", { mtu: 9000 }),
    undo: ({ api }) => correctNetwork(api, "too-large", { mtu: 1400 }),
  },
  {
    title: "the NetworkAttachmentDefinition is missing",
    check: "network-definition-missing",
    severity: "start",
    networks: ["not-yet-there"],
    pod: { annotations: selectNetwork("not-yet-there"), state: "waits", warning: /not-yet-there/ },
    make: () => Promise.resolve(),
    undo: ({ api }) => ensureNetwork(api, "not-yet-there", {}),
  },
  {
    title: "Multus is missing on a node",
    check: "multus-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "waits", warning: /cni/i },
    make: async ({ execOnNode }) => {
      await execOnNode(["mv", MULTUS_CONFIG, "/root/multus-kept"]);
    },
    undo: async ({ execOnNode }) => {
      await execOnNode(["mv", "/root/multus-kept", MULTUS_CONFIG]);
    },
  },
  {
    title: "another CNI configuration precedes Multus's",
    check: "multus-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "overlay" },
    make: async ({ execOnNode }) => {
      await execOnNode(["cp", CALICO_CONFIG, EARLIER_CONFIG]);
    },
    undo: async ({ execOnNode }) => {
      await execOnNode(["rm", EARLIER_CONFIG]);
    },
  },
  {
    title: "missing facts: the file cannot be read, nor written",
    check: "facts-missing",
    severity: "start",
    pod: { annotations: createNetworkAnnotations("underlay"), state: "waits", warning: /facts/ },
    make: async ({ execOnNode }) => {
      await execOnNode(["rm", FACTS]);
      await execOnNode(["mkdir", FACTS]);
    },
    undo: async ({ execOnNode }) => {
      await execOnNode(["rmdir", FACTS]);
    },
  },
];
