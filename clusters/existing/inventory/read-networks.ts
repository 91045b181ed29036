import { ApiextensionsV1Api, CoreV1Api, type KubeConfig, type V1DaemonSet } from "@kubernetes/client-node";
import { parse } from "yaml";
import { z } from "zod";
import { defaultIfUnavailable, findDaemonSet, getImage, listCustomObjects } from "./read-objects.ts";

/** The networks of an existing cluster. Undefined: absent, or not readable. */
export interface InventoryNetworks {
  /** Image of Multus' DaemonSet. */
  readonly multus?: string | undefined;
  /** Whether the kind NetworkAttachmentDefinition exists. */
  readonly nadKind: boolean;
  /** NetworkAttachmentDefinitions with macvlan in their configuration, as `NAMESPACE/NAME`. */
  readonly macvlans: readonly string[];
  /** The overlay, found by its DaemonSet. */
  readonly overlay?: OverlayAgent | undefined;
  /** Calico's IPPools, like `10.233.64.0/18 VXLAN`. */
  readonly calico: readonly string[];
  /** CIDRs of Calico's IPPools, else of the overlay's or kubeadm's configuration. */
  readonly overlayCidrs: readonly string[];
  /** Service CIDRs of kubeadm's configuration or of ServiceCIDR objects. */
  readonly serviceCidrs: readonly string[];
}

/** The DaemonSet of an overlay. */
interface OverlayAgent {
  /** Key of its version in reports, like `calico`. */
  readonly name: string;
  readonly image: string;
}

/** Names of overlays, and the prefixes of their DaemonSets' names. */
const OVERLAYS: readonly (readonly [name: string, daemonSet: string])[] = [
  ["calico", "calico-node"],
  ["canal", "canal"],
  ["flannel", "kube-flannel"],
  ["cilium", "cilium"],
  ["antrea", "antrea-agent"],
  ["kube-router", "kube-router"],
  ["kindnet", "kindnet"],
];

const ipPools = z.object({
  items: z.array(
    z.object({
      spec: z.object({ cidr: z.string(), vxlanMode: z.string().optional(), ipipMode: z.string().optional() }),
    }),
  ),
});
const attachments = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ config: z.string().default("") }).optional(),
    }),
  ),
});
const kubeadm = z.object({
  networking: z.object({ serviceSubnet: z.string().optional(), podSubnet: z.string().optional() }),
});
const flannelConfiguration = z.object({ Network: z.string().optional(), IPv6Network: z.string().optional() });
const serviceRanges = z.object({ items: z.array(z.object({ spec: z.object({ cidrs: z.array(z.string()) }) })) });
const NAD_CRD = "network-attachment-definitions.k8s.cni.cncf.io";

/** Reads the networks of a cluster. */
export async function readNetworks(config: KubeConfig, daemonSets: readonly V1DaemonSet[]): Promise<InventoryNetworks> {
  const [nadKind, macvlans, pools, configured, ranges] = await Promise.all([
    hasDefinition(config, NAD_CRD),
    listMacvlans(config),
    listCustomObjects(config, "crd.projectcalico.org", "v1", "ippools").then((list) => ipPools.parse(list).items),
    readConfiguredCidrs(config),
    listCustomObjects(config, "networking.k8s.io", "v1", "servicecidrs"),
  ]);
  const overlayCidrs = [pools.map(({ spec }) => spec.cidr), ...configured.overlay];
  const serviceCidrs = [configured.service, serviceRanges.parse(ranges).items.flatMap(({ spec }) => spec.cidrs)];
  return {
    multus: getImage(findDaemonSet(daemonSets, (name) => name.includes("multus"))),
    overlay: findOverlay(daemonSets),
    nadKind,
    macvlans,
    calico: pools.map(({ spec }) => `${spec.cidr} ${formatEncapsulation(spec)}`),
    overlayCidrs: findFirstList(overlayCidrs),
    serviceCidrs: findFirstList(serviceCidrs),
  };
}

function findFirstList(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.find((list) => list.length > 0) ?? [];
}

/** Returns the overlay whose DaemonSet the cluster has. Pure. */
function findOverlay(daemonSets: readonly V1DaemonSet[]): OverlayAgent | undefined {
  for (const [name, daemonSet] of OVERLAYS) {
    const image = getImage(findDaemonSet(daemonSets, (candidate) => candidate.startsWith(daemonSet)));
    if (image !== undefined) return { name, image };
  }
  return undefined;
}

function hasDefinition(config: KubeConfig, name: string): Promise<boolean> {
  const api = config.makeApiClient(ApiextensionsV1Api);
  const definition = api.readCustomResourceDefinition({ name }).then(() => true);
  return defaultIfUnavailable(definition, false);
}

async function listMacvlans(config: KubeConfig): Promise<readonly string[]> {
  const list = await listCustomObjects(config, "k8s.cni.cncf.io", "v1", "network-attachment-definitions");
  return attachments
    .parse(list)
    .items.filter(({ spec }) => spec?.config.includes('"macvlan"') ?? false)
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

type IpPoolSpec = z.infer<typeof ipPools>["items"][number]["spec"];

function formatEncapsulation({ vxlanMode, ipipMode }: IpPoolSpec): string {
  const isEnabled = (mode: string | undefined) => mode !== undefined && mode !== "Never";
  if (isEnabled(vxlanMode)) return "VXLAN";
  return isEnabled(ipipMode) ? "IPIP" : "without a tunnel";
}

/** Reads the networks in the configurations of flannel and Cilium, and of kubeadm. */
async function readConfiguredCidrs(config: KubeConfig): Promise<{
  /** In the order of their precedence. */
  readonly overlay: readonly (readonly string[])[];
  readonly service: readonly string[];
}> {
  const core = config.makeApiClient(CoreV1Api);
  const read = async (namespace: string, name: string, key: string): Promise<string | undefined> =>
    (await defaultIfUnavailable(core.readNamespacedConfigMap({ namespace, name }), undefined))?.data?.[key];
  const [ownFlannel, systemFlannel, cilium, kubeadmText = "{}"] = await Promise.all([
    read("kube-flannel", "kube-flannel-cfg", "net-conf.json"),
    read("kube-system", "kube-flannel-cfg", "net-conf.json"),
    read("kube-system", "cilium-config", "cluster-pool-ipv4-cidr"),
    read("kube-system", "kubeadm-config", "ClusterConfiguration"),
  ]);
  const networking = kubeadm.safeParse(parse(kubeadmText)).data?.networking;
  return {
    overlay: [parseFlannelNetworks(ownFlannel ?? systemFlannel), splitCidrs(cilium), splitCidrs(networking?.podSubnet)],
    service: splitCidrs(networking?.serviceSubnet),
  };
}

/** Returns the networks of flannel's `net-conf.json`. Pure. */
function parseFlannelNetworks(text = "{}"): readonly string[] {
  const { Network, IPv6Network } = flannelConfiguration.safeParse(parse(text)).data ?? {};
  return [Network, IPv6Network].filter((network) => network !== undefined);
}

function splitCidrs(list = ""): readonly string[] {
  return list.split(/[\s,]+/).filter((cidr) => cidr !== "");
}
