import { z } from "zod";
import { parseIp } from "../datapath/address.ts";
import { discoverFacts } from "../agent/discovery/discover.ts";
import { selectServices } from "../kubernetes/select-services.ts";
import { type KubeClient, type Resource } from "../kubernetes/kube-client.ts";
import { hasStatus } from "../kubernetes/kube-error.ts";
import { objectMeta } from "../kubernetes/object-meta.ts";
import { findNetworkOverUnderlay, readPodNetworks } from "../agent/discovery/pod-detection.ts";
import { observeNodeObject } from "../agent/discovery/observe.ts";
import {
  calicoBlock,
  calicoPool,
  configMapObject,
  felixConfiguration,
  inNamespace,
  nodeObject,
  podObject,
  RESOURCE,
  serviceCidr,
  serviceObject,
  underlayAddress,
  underlayPool,
  CONFIG_MAP,
} from "../kubernetes/objects.ts";
import type { ClusterSnapshot } from "./node-snapshot.ts";

/** Number of objects per list request. */
const PAGE = 500;
/** Greatest number of Services, other than the API server and DNS, to which paths are traced. */
const OTHER_SERVICES = 12;
const page = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});
const deployment = z.object({
  status: z.object({ readyReplicas: z.number().default(0) }).default({ readyReplicas: 0 }),
});
const definition = z.object({ metadata: objectMeta, spec: z.object({ config: z.string().default("") }) });
/** Fields of a plugin's configuration. */
const plugin = z.object({ type: z.string().default(""), master: z.string().optional(), mtu: z.number().optional() });
const config = z.union([z.object({ plugins: z.array(plugin) }), plugin.transform((single) => ({ plugins: [single] }))]);

/** Reads the objects that the prediction needs. Objects that the user may not read count as missing. */
export async function observeCluster(kube: KubeClient): Promise<ClusterSnapshot> {
  const list = <T>(resource: Resource, schema: z.ZodType<T>, query: Readonly<Record<string, string>> = {}) =>
    listObjects(kube, resource, schema, query);
  const readConfigMap = async (
    resource: Resource,
    name: string,
  ): Promise<Readonly<Record<string, string>> | undefined> => {
    const configMap = configMapObject.safeParse(await kube.find(resource, name).catch(() => undefined));
    return configMap.success ? configMap.data.data : undefined;
  };
  const [nodes, pools, settings, kubeadm, cilium, kubeProxy, controlPlane, definitions, pending, addresses, cidrs] =
    await Promise.all([
      list(RESOURCE.nodes, nodeObject),
      list(RESOURCE.calicoPools, calicoPool),
      readConfigMap(RESOURCE.settings, CONFIG_MAP),
      readConfigMap(RESOURCE.systemConfigMaps, "kubeadm-config"),
      readConfigMap(RESOURCE.systemConfigMaps, "cilium-config"),
      readConfigMap(RESOURCE.systemConfigMaps, "kube-proxy"),
      list(RESOURCE.systemPods, podObject, { labelSelector: "tier=control-plane" }),
      list(RESOURCE.attachmentDefinitions, definition),
      list(RESOURCE.pods, podObject, { fieldSelector: "status.phase=Pending" }),
      list(RESOURCE.underlayAddresses, underlayAddress),
      listServiceCidrs(kube),
    ]);
  const [blocks, underlayPools, flannel, canal, apiServer, felixes, running, services] = await Promise.all([
    list(RESOURCE.calicoBlocks, calicoBlock),
    list(RESOURCE.underlayPools, underlayPool),
    list(RESOURCE.configMaps, configMapObject, { fieldSelector: "metadata.name=kube-flannel-cfg" }),
    readConfigMap(RESOURCE.systemConfigMaps, "canal-config"),
    list(inNamespace(RESOURCE.services, "default"), serviceObject, { fieldSelector: "metadata.name=kubernetes" }),
    list(RESOURCE.felix, felixConfiguration, { fieldSelector: "metadata.name=default" }),
    list(RESOURCE.pods, podObject, { fieldSelector: "status.phase=Running" }),
    list(RESOURCE.services, serviceObject),
  ]);
  const [felix] = felixes ?? [];
  // Without the overrides of ConfigMap interlay-config, so that a wrong override is found.
  const discovery = discoverFacts({
    nodeName: "the cluster",
    nodeAddresses: (nodes ?? []).flatMap((node) => listAddresses(node).slice(0, 1)).slice(0, 1),
    kubeletVersion: nodes?.[0]?.status.nodeInfo.kubeletVersion ?? "",
    distributionArguments: [],
    nodes: (nodes ?? []).map(observeNodeObject),
    calicoPools: pools?.map(({ spec }) => spec),
    calicoBlocks: (blocks ?? []).filter(({ spec }) => spec.deleted !== "true").map(({ spec }) => spec.cidr),
    cilium,
    flannel: [...(flannel ?? []), ...(canal === undefined ? [] : [{ data: canal }])].flatMap(
      ({ data }) => data["net-conf.json"] ?? [],
    ),
    apiServerAddresses: (apiServer ?? []).flatMap(({ spec }) => spec.clusterIPs),
    serviceAddresses: [],
    underlayPools: (underlayPools ?? []).map(({ metadata, spec }) => ({ name: metadata.name, ...spec })),
    kubeadm: kubeadm?.["ClusterConfiguration"],
    kubeProxyConfig: kubeProxy?.["config.conf"],
    serviceCidrObjects: cidrs,
    controlPlaneArguments: (controlPlane ?? []).flatMap(({ spec }) =>
      spec.containers.flatMap(({ command, args }) => [...command, ...args]),
    ),
    links: [],
    defaultLinks: ["-"],
    settings: settings?.["returnPath"] === undefined ? {} : { returnPath: settings["returnPath"] },
  });
  const facts = "facts" in discovery ? discovery.facts : undefined;
  return {
    nodes: (nodes ?? []).map((node) => ({ name: node.metadata.name, addresses: listAddresses(node) })),
    overlayCidrs: facts?.overlayCidrs ?? [],
    serviceCidrs: facts?.serviceCidrs ?? [],
    pools: (underlayPools ?? []).map(({ metadata, spec }) => ({ name: metadata.name, ...spec })),
    networkOverUnderlay: findNetworkOverUnderlay(
      readPodNetworks(kubeProxy?.["config.conf"]),
      (nodes ?? []).flatMap(listAddresses).map(parseIp),
    ),
    dataPlane: findDataPlane(felix?.spec.bpfEnabled === true, cilium),
    problems: "facts" in discovery ? discovery.disagreements : discovery.problems,
    networks: definitions?.map(({ metadata, spec }) => {
      const parsed = config.safeParse(parseJson(spec.config));
      const plugins = parsed.success ? parsed.data.plugins : [];
      return {
        name: `${metadata.namespace ?? ""}/${metadata.name}`,
        master: plugins[0]?.master,
        mtu: plugins[0]?.mtu,
        interlay: plugins.some(({ type }) => type === "interlay"),
      };
    }),
    readyControllers: await countReadyControllers(kube),
    waiting: (pending ?? []).flatMap(({ metadata, spec }) => {
      const networks = parseNetworkAnnotation(metadata.annotations, metadata.namespace ?? "");
      return networks.length === 0
        ? []
        : [{ pod: `${metadata.namespace ?? ""}/${metadata.name}`, node: spec.nodeName, networks }];
    }),
    addresses: (addresses ?? []).map(({ spec }) => ({
      address: spec.address,
      pod: `${spec.pod.namespace}/${spec.pod.name}`,
      conflict: spec.conflict,
    })),
    pods: running
      ?.filter(({ spec }) => !spec.hostNetwork)
      .map(({ metadata, status }) => ({
        name: `${metadata.namespace ?? ""}/${metadata.name}`,
        addresses: status.podIPs.map(({ ip }) => ip),
      })),
    services: selectServices(services ?? [], OTHER_SERVICES),
  };
}

/** Returns the name of the eBPF data plane that translates Services instead of kube-proxy; undefined if there is none. */
function findDataPlane(calicoBpf: boolean, cilium: Readonly<Record<string, string>> | undefined): string | undefined {
  const replacement = cilium?.["kube-proxy-replacement"];
  if (calicoBpf) return "Calico's eBPF data plane (FelixConfiguration default, bpfEnabled)";
  return replacement === "true" || replacement === "strict"
    ? `Cilium's replacement of kube-proxy (cilium-config, kube-proxy-replacement: ${replacement})`
    : undefined;
}

function listAddresses({ status }: z.infer<typeof nodeObject>): readonly string[] {
  return status.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
}

/** Parses Multus's annotations: `NAME`, `NAMESPACE/NAME`, `NAME@LINK`, separated by commas; or JSON, with name and namespace. */
export function parseNetworkAnnotation(
  annotations: Readonly<Record<string, string>>,
  namespace: string,
): readonly string[] {
  return ["v1.multus-cni.io/default-network", "k8s.v1.cni.cncf.io/networks"].flatMap((key) => {
    const text = annotations[key]?.trim() ?? "";
    if (text === "") return [];
    const selections = z
      .array(z.object({ name: z.string(), namespace: z.string().optional() }))
      .safeParse(parseJson(text));
    if (selections.success)
      return selections.data.map((selection) => `${selection.namespace ?? namespace}/${selection.name}`);
    return text
      .split(",")
      .map((word) => word.trim().replace(/@.*$/, ""))
      .filter((word) => word !== "")
      .map((word) => (word.includes("/") ? word : `${namespace}/${word}`));
  });
}

/** Counts the ready replicas of the controller; 0 if it is not installed, undefined if the user may not read it. */
async function countReadyControllers(kube: KubeClient): Promise<number | undefined> {
  try {
    const controller = await kube.find(RESOURCE.controllers, "interlay-controller");
    return controller === undefined ? 0 : deployment.parse(controller).status.readyReplicas;
  } catch (error) {
    if (hasStatus(error, 403)) return undefined;
    throw error;
  }
}

async function listObjects<T>(
  kube: KubeClient,
  resource: Resource,
  schema: z.ZodType<T>,
  query: Readonly<Record<string, string>>,
): Promise<readonly T[] | undefined> {
  const items: T[] = [];
  let next = "";
  // Objects that the schema rejects are skipped, as the agents do; `interlay ipam check` reports invalid addresses.
  do {
    try {
      const response = page.parse(
        await kube.list(resource, { ...query, limit: String(PAGE), ...(next === "" ? {} : { continue: next }) }),
      );
      items.push(...(response.items ?? []).flatMap((item) => schema.safeParse(item).data ?? []));
      next = response.metadata.continue ?? "";
    } catch (error) {
      if (hasStatus(error, 403, 404)) return undefined;
      throw error;
    }
  } while (next !== "");
  return items;
}

async function listServiceCidrs(kube: KubeClient): Promise<readonly string[] | undefined> {
  for (const version of ["v1", "v1beta1", "v1alpha1"]) {
    const objects = await listObjects(
      kube,
      { api: `/apis/networking.k8s.io/${version}`, plural: "servicecidrs" },
      serviceCidr,
      {},
    );
    if (objects !== undefined)
      return objects.flatMap(({ spec }) => spec.cidrs ?? [spec.ipv4 ?? "", spec.ipv6 ?? ""].filter((c) => c !== ""));
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
