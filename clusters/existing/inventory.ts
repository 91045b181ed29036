import {
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  V1ResourceAttributes,
  V1SelfSubjectAccessReview,
  V1SelfSubjectAccessReviewSpec,
  VersionApi,
} from "@kubernetes/client-node";
import { parse } from "yaml";
import { z } from "zod";
import { getStatusCode } from "../kubernetes/status-code.ts";
import { findKubeProxy } from "./find-kube-proxy.ts";
import { reportsReady } from "../kubernetes/ready-condition.ts";
import { type KubeProxy, OWNER_LABEL } from "../provider.ts";
import { INSTALL_PERMISSIONS, type Permission, REQUIRED_PERMISSIONS } from "./permissions.ts";

/** What was read of a cluster; `undefined` is what was not there or may not be read. */
export interface ClusterInventory {
  readonly server: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly ready: boolean;
    /** False for a node that was cordoned. */
    readonly schedulable: boolean;
    readonly kubelet: string;
    readonly kernel: string;
    readonly controlPlane: boolean;
    /** InternalIPs, the node's first one first. */
    readonly addresses: readonly string[];
    /** `containerd://1.7.1`; identifies a lab. */
    readonly runtime: string;
    /** `kind://docker/CLUSTER/NODE`; empty where no cloud says. */
    readonly providerId: string;
  }[];
  readonly kubeProxy?: KubeProxy;
  /** Where kube-proxy was found, or why what it does cannot be predicted. */
  readonly kubeProxyNote?: string;
  /** Image of Multus' DaemonSet. */
  readonly multus?: string;
  readonly nadKind: boolean;
  /** `namespace/name` of NetworkAttachmentDefinitions with macvlan in their configuration. */
  readonly macvlans: readonly string[];
  /** Per IPPool of Calico: `10.233.64.0/18 VXLAN`. */
  readonly calico: readonly string[];
  /** CIDRs of those pools. */
  readonly overlayCidrs: readonly string[];
  /** Service CIDRs from kubeadm's configuration or ServiceCIDR objects; empty if neither exists. */
  readonly serviceCidrs: readonly string[];
  /** Image of calico-node. */
  readonly calicoNode?: string;
  /** `ours`: a run of the suite has installed it, and takes it away. */
  readonly interlay?: { readonly image: string; readonly returnPath: string; readonly ours: boolean };
  readonly poolRanges: readonly string[];
  readonly heldAddresses: number;
  /** What the caller may not do of what the suite does, in words. */
  readonly denied: readonly string[];
  /** And of what installing Interlay takes. */
  readonly deniedInstall: readonly string[];
}

const items = z.object({ items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })) });
const pools = z.object({ items: z.array(z.object({ spec: z.object({ ranges: z.array(z.string()).default([]) }) })) });
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
const EMPTY = { items: [] };

/** Reads only: the one thing created is the access review, which the API server stores nowhere. */
export async function readInventory(config: KubeConfig): Promise<ClusterInventory> {
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const list = (group: string, version: string, plural: string): Promise<unknown> =>
    defaultIfUnavailable(custom.listClusterCustomObject({ group, version, plural }), EMPTY);
  const [
    code,
    nodes,
    sets,
    proxyConfig,
    interlayConfig,
    nadKind,
    nads,
    calico,
    poolList,
    held,
    denied,
    deniedInstall,
    servers,
    kubeadmConfig,
    ranges,
    systemPods,
  ] = await Promise.all([
    config.makeApiClient(VersionApi).getCode(),
    defaultIfUnavailable(core.listNode(), EMPTY),
    defaultIfUnavailable(config.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces(), EMPTY),
    defaultIfUnavailable(core.readNamespacedConfigMap({ namespace: "kube-system", name: "kube-proxy" }), undefined),
    defaultIfUnavailable(
      core.readNamespacedConfigMap({ namespace: "interlay-system", name: "interlay-config" }),
      undefined,
    ),
    defaultIfUnavailable(
      config
        .makeApiClient(ApiextensionsV1Api)
        .readCustomResourceDefinition({ name: "network-attachment-definitions.k8s.cni.cncf.io" })
        .then(() => true),
      false,
    ),
    list("k8s.cni.cncf.io", "v1", "network-attachment-definitions"),
    list("crd.projectcalico.org", "v1", "ippools"),
    list("interlay.dev", "v1alpha1", "underlaypools"),
    list("interlay.dev", "v1alpha1", "underlayaddresses"),
    findMissingPermissions(config, REQUIRED_PERMISSIONS),
    findMissingPermissions(config, INSTALL_PERMISSIONS),
    defaultIfUnavailable(core.readNamespacedEndpoints({ namespace: "default", name: "kubernetes" }), undefined),
    defaultIfUnavailable(core.readNamespacedConfigMap({ namespace: "kube-system", name: "kubeadm-config" }), undefined),
    list("networking.k8s.io", "v1", "servicecidrs"),
    defaultIfUnavailable(core.listNamespacedPod({ namespace: "kube-system" }), EMPTY),
  ]);
  // A node that answers for the Service kubernetes is of the control plane, labelled so or not.
  const apiServers = new Set(
    (servers?.subsets ?? []).flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip)),
  );
  const find = (fits: (name: string) => boolean) => sets.items.find(({ metadata }) => fits(metadata?.name ?? ""));
  const imageOf = (fits: (name: string) => boolean): string | undefined =>
    find(fits)?.spec?.template.spec?.containers[0]?.image;
  const proxy = findKubeProxy({
    daemonSet: imageOf((name) => name === "kube-proxy"),
    pods: systemPods.items
      .filter(({ metadata }) => metadata?.name?.startsWith("kube-proxy"))
      .flatMap(({ spec }) => spec?.containers[0]?.image ?? []),
    kubelets: nodes.items.flatMap(({ status }) => status?.nodeInfo?.kubeletVersion ?? []),
    config: proxyConfig?.data?.["config.conf"],
  });
  const multus = imageOf((name) => name.includes("multus"));
  const interlay = imageOf((name) => name === "interlay");
  const calicoNode = imageOf((name) => name === "calico-node");
  const ipPoolList = ipPools.parse(calico).items;
  return {
    server: code.gitVersion,
    nodes: nodes.items.map(({ metadata, spec, status }) => ({
      name: metadata?.name ?? "",
      ready: reportsReady(status),
      schedulable: spec?.unschedulable !== true,
      kubelet: status?.nodeInfo?.kubeletVersion ?? "unknown",
      kernel: status?.nodeInfo?.kernelVersion ?? "",
      controlPlane:
        metadata?.labels?.["node-role.kubernetes.io/control-plane"] !== undefined ||
        (status?.addresses ?? []).some(({ address }) => apiServers.has(address)),
      addresses: (status?.addresses ?? []).flatMap(({ type, address }) => (type === "InternalIP" ? [address] : [])),
      runtime: status?.nodeInfo?.containerRuntimeVersion ?? "",
      providerId: spec?.providerID ?? "",
    })),
    ...(proxy.kubeProxy === undefined
      ? { kubeProxyNote: proxy.problem }
      : { kubeProxy: proxy.kubeProxy, kubeProxyNote: proxy.source }),
    ...(multus === undefined ? {} : { multus }),
    nadKind,
    macvlans: attachments
      .parse(nads)
      .items.filter(({ spec }) => spec?.config.includes('"macvlan"') ?? false)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    overlayCidrs: ipPoolList.map(({ spec }) => spec.cidr),
    serviceCidrs: parseServiceCidrs(kubeadmConfig?.data?.["ClusterConfiguration"], ranges),
    ...(calicoNode === undefined ? {} : { calicoNode }),
    calico: ipPoolList.map(({ spec }) => {
      const on = (mode: string | undefined) => mode !== undefined && mode !== "Never";
      return `${spec.cidr} ${on(spec.vxlanMode) ? "VXLAN" : on(spec.ipipMode) ? "IPIP" : "without a tunnel"}`;
    }),
    ...(interlay === undefined
      ? {}
      : {
          interlay: {
            image: interlay,
            returnPath: parseReturnPath(interlayConfig?.data?.["returnPath"]),
            ours: find((name) => name === "interlay")?.metadata?.labels?.[OWNER_LABEL] !== undefined,
          },
        }),
    poolRanges: pools.parse(poolList).items.flatMap(({ spec }) => spec.ranges),
    heldAddresses: items.parse(held).items.length,
    denied,
    deniedInstall,
  };
}

function parseServiceCidrs(clusterConfiguration: string | undefined, ranges: unknown): readonly string[] {
  if (clusterConfiguration !== undefined) {
    const { data } = kubeadm.safeParse(parse(clusterConfiguration));
    if (data !== undefined) return data.networking.serviceSubnet.split(",");
  }
  return serviceRanges.parse(ranges).items.flatMap(({ spec }) => spec.cidrs);
}

async function findMissingPermissions(config: KubeConfig, rights: readonly Permission[]): Promise<readonly string[]> {
  const api = config.makeApiClient(AuthorizationV1Api);
  const answers = await Promise.all(
    rights.map(async ({ words, ...resourceAttributes }) => {
      const spec = Object.assign(new V1SelfSubjectAccessReviewSpec(), {
        resourceAttributes: Object.assign(new V1ResourceAttributes(), resourceAttributes),
      });
      const body = Object.assign(new V1SelfSubjectAccessReview(), { spec });
      const { status } = await api.createSelfSubjectAccessReview({ body });
      return status?.allowed === true ? [] : [words];
    }),
  );
  return answers.flat();
}

/** Not there (404) and not allowed (403) are both facts; all else is an error. */
async function defaultIfUnavailable<T, U>(answer: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await answer;
  } catch (error) {
    const code = getStatusCode(error);
    if (code === 404 || code === 403) return otherwise;
    throw error;
  }
}

/** What a run expects of a cluster whose agents choose the return path: their default, which also passes everything. */
function parseReturnPath(setting = "auto"): string {
  return setting === "auto" ? "notrack" : setting;
}
