import { CoreV1Api, type KubeConfig, type V1Container, type V1DaemonSet } from "@kubernetes/client-node";
import { z } from "zod";
import { findKubeProxy, type KubeProxyFinding, type ProxyContainer } from "./find-kube-proxy.ts";
import { defaultIfUnavailable, findDaemonSet, listCustomObjects } from "./read-objects.ts";
import type { InventoryNode } from "./read-nodes.ts";

const NAMESPACE = "kube-system";
/** ConfigMaps with a KubeProxyConfiguration, of kubeadm and of EKS, and the key in each. */
const CONFIG_MAPS = [
  ["kube-proxy", "config.conf"],
  ["kube-proxy-config", "config"],
] as const;

const felixConfigurations = z.object({
  items: z.array(z.object({ spec: z.looseObject({ bpfEnabled: z.boolean().optional() }).optional() })),
});

/** Returns a cluster's kube-proxy, or why it is unknown. */
export async function readKubeProxyFinding(
  config: KubeConfig,
  daemonSets: readonly V1DaemonSet[],
  nodes: readonly InventoryNode[],
): Promise<KubeProxyFinding> {
  const core = config.makeApiClient(CoreV1Api);
  const readMap = (name: string) =>
    defaultIfUnavailable(core.readNamespacedConfigMap({ namespace: NAMESPACE, name }), undefined);
  const [maps, pods, replacement] = await Promise.all([
    Promise.all(CONFIG_MAPS.map(async ([name, key]) => (await readMap(name))?.data?.[key] ?? [])),
    defaultIfUnavailable(core.listNamespacedPod({ namespace: NAMESPACE }), { items: [] }),
    findReplacement(config, async () => (await readMap("cilium-config"))?.data ?? {}),
  ]);
  const daemonSet = findDaemonSet(daemonSets, (name) => name === "kube-proxy");
  return findKubeProxy({
    daemonSet: describeContainer(daemonSet?.spec?.template.spec?.containers[0]),
    pods: pods.items
      .filter(({ metadata }) => metadata?.name?.startsWith("kube-proxy"))
      .flatMap(({ spec }) => describeContainer(spec?.containers[0]) ?? []),
    kubelets: nodes.map(({ kubelet }) => kubelet).filter((version) => version !== "unknown"),
    configs: maps.flat(),
    nodeArguments: nodes.map(({ programArguments }) => programArguments),
    replacement,
  });
}

function describeContainer(container: V1Container | undefined): ProxyContainer | undefined {
  const { image, command = [], args = [] } = container ?? {};
  return image === undefined ? undefined : { image, argv: [...command, ...args] };
}

/** Returns the software that translates Services in place of kube-proxy; undefined if there is none. */
async function findReplacement(
  config: KubeConfig,
  readCilium: () => Promise<Readonly<Record<string, string>>>,
): Promise<string | undefined> {
  const [cilium, felix] = await Promise.all([
    readCilium(),
    listCustomObjects(config, "crd.projectcalico.org", "v1", "felixconfigurations"),
  ]);
  if (["true", "strict"].includes(cilium["kube-proxy-replacement"] ?? "")) return "Cilium";
  const isEbpf = felixConfigurations.parse(felix).items.some(({ spec }) => spec?.bpfEnabled === true);
  return isEbpf ? "Calico's eBPF data plane" : undefined;
}
