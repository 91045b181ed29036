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
  /** Calico's IPPools, like `10.233.64.0/18 VXLAN`. */
  readonly calico: readonly string[];
  /** CIDRs of these pools. */
  readonly overlayCidrs: readonly string[];
  /** Image of calico-node. */
  readonly calicoNode?: string | undefined;
  /** Service CIDRs of kubeadm's configuration or of ServiceCIDR objects. */
  readonly serviceCidrs: readonly string[];
}

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
const kubeadm = z.object({ networking: z.object({ serviceSubnet: z.string() }) });
const serviceRanges = z.object({ items: z.array(z.object({ spec: z.object({ cidrs: z.array(z.string()) }) })) });
const NAD_CRD = "network-attachment-definitions.k8s.cni.cncf.io";

/** Reads the networks of a cluster. */
export async function readNetworks(config: KubeConfig, sets: readonly V1DaemonSet[]): Promise<InventoryNetworks> {
  const [nadKind, macvlans, pools, serviceCidrs] = await Promise.all([
    hasDefinition(config, NAD_CRD),
    listMacvlans(config),
    listCustomObjects(config, "crd.projectcalico.org", "v1", "ippools").then((list) => ipPools.parse(list).items),
    readServiceCidrs(config),
  ]);
  return {
    multus: getImage(findDaemonSet(sets, (name) => name.includes("multus"))),
    calicoNode: getImage(findDaemonSet(sets, (name) => name === "calico-node")),
    nadKind,
    macvlans,
    calico: pools.map(({ spec }) => `${spec.cidr} ${formatEncapsulation(spec)}`),
    overlayCidrs: pools.map(({ spec }) => spec.cidr),
    serviceCidrs,
  };
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

async function readServiceCidrs(config: KubeConfig): Promise<readonly string[]> {
  const core = config.makeApiClient(CoreV1Api);
  const [kubeadmConfig, ranges] = await Promise.all([
    defaultIfUnavailable(core.readNamespacedConfigMap({ namespace: "kube-system", name: "kubeadm-config" }), undefined),
    listCustomObjects(config, "networking.k8s.io", "v1", "servicecidrs"),
  ]);
  const text = kubeadmConfig?.data?.["ClusterConfiguration"];
  const parsed = text === undefined ? undefined : kubeadm.safeParse(parse(text)).data;
  if (parsed !== undefined) return parsed.networking.serviceSubnet.split(",");
  return serviceRanges.parse(ranges).items.flatMap(({ spec }) => spec.cidrs);
}
