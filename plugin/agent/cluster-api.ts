import { readFileSync } from "node:fs";
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type KubernetesObject,
  type ListPromise,
  V1DeleteOptions,
  V1Preconditions,
} from "@kubernetes/client-node";
import { z } from "zod";

export const GROUP = "interlay.dev";
export const VERSION = "v1alpha1";
const CALICO = { group: "crd.projectcalico.org", version: "v1" } as const;
export const SYSTEM_NAMESPACE = "interlay-system";
export const CONFIG_MAP = "interlay-config";

const metadata = z.looseObject({
  name: z.string(),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  labels: z.record(z.string(), z.string()).default({}),
});
const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

const ipPool = z.object({ metadata, spec: z.object({ cidr: z.string() }) });
const blockAffinity = z.object({
  metadata,
  spec: z.object({ node: z.string(), cidr: z.string(), deleted: z.string().optional() }),
});
const underlayPool = z.object({
  metadata,
  spec: z.object({
    subnet: z.string(),
    ranges: z.array(z.string()).min(1),
    excluded: z.array(z.string()).default([]),
    gateway: z.string().optional(),
    priority: z.number().default(100),
  }),
});
export type UnderlayPoolObject = z.infer<typeof underlayPool>;

const underlayAddress = z.object({
  metadata,
  spec: z.object({
    address: z.string(),
    pool: z.string(),
    node: z.string(),
    containerId: z.string(),
    ifname: z.string(),
    pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  }),
});
export type UnderlayAddressObject = z.infer<typeof underlayAddress>;
export type UnderlayAddressSpec = UnderlayAddressObject["spec"];

const kubeadmClusterConfiguration = z.object({ data: z.object({ ClusterConfiguration: z.string() }) });
const settings = z.object({ data: z.record(z.string(), z.string()).default({}), metadata });

/** `true` from the API server's "not found" and "already exists", so that callers need not know HTTP. */
export function hasStatus(error: unknown, code: number): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}

/** Everything the agent reads from and writes to the API server, parsed at this border. */
export class ClusterApi {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;

  constructor(config: KubeConfig) {
    this.#config = config;
    this.#core = config.makeApiClient(CoreV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
  }

  /** In a pod: its service account. Else the usual kubeconfig. */
  static connect(): ClusterApi {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new ClusterApi(config);
  }

  async nodeAddresses(name: string): Promise<readonly string[]> {
    const node = await this.#core.readNode({ name });
    return (node.status?.addresses ?? []).filter((a) => a.type === "InternalIP").map((a) => a.address);
  }

  /** The pods of this node: namespace/name -> uid. */
  async podUids(node: string): Promise<ReadonlySet<string>> {
    const pods = await this.#core.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}` });
    return new Set(pods.items.flatMap((pod) => pod.metadata?.uid ?? []));
  }

  /** Undefined where there is no Calico. A disabled pool with pods in it still counts, so all do. */
  async calicoPools(): Promise<readonly string[] | undefined> {
    try {
      const answer: unknown = await this.#custom.listClusterCustomObject({ ...CALICO, plural: "ippools" });
      return list(ipPool)
        .parse(answer)
        .items.map((pool) => pool.spec.cidr);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async calicoBlocks(node: string): Promise<readonly string[]> {
    try {
      const answer: unknown = await this.#custom.listClusterCustomObject({ ...CALICO, plural: "blockaffinities" });
      return list(blockAffinity)
        .parse(answer)
        .items.filter(({ spec }) => spec.node === node && spec.deleted !== "true")
        .map(({ spec }) => spec.cidr);
    } catch (error) {
      if (hasStatus(error, 404)) return [];
      throw error;
    }
  }

  /** kubeadm's ClusterConfiguration as YAML; undefined where kubeadm made no cluster. */
  async kubeadmConfiguration(): Promise<string | undefined> {
    try {
      const map = await this.#core.readNamespacedConfigMap({ namespace: "kube-system", name: "kubeadm-config" });
      return kubeadmClusterConfiguration.parse(map).data.ClusterConfiguration;
    } catch (error) {
      if (hasStatus(error, 404) || hasStatus(error, 403)) return undefined;
      throw error;
    }
  }

  /** ServiceCIDR objects of networking.k8s.io, in the newest version that is served; undefined where there are none. */
  async serviceCidrs(): Promise<readonly string[] | undefined> {
    const item = z.object({
      spec: z.object({
        cidrs: z.array(z.string()).optional(),
        ipv4: z.string().optional(),
        ipv6: z.string().optional(),
      }),
    });
    for (const version of ["v1", "v1beta1", "v1alpha1"]) {
      try {
        const answer: unknown = await this.#custom.listClusterCustomObject({
          group: "networking.k8s.io",
          version,
          plural: "servicecidrs",
        });
        return list(item)
          .parse(answer)
          .items.flatMap(({ spec }) => spec.cidrs ?? [spec.ipv4 ?? "", spec.ipv6 ?? ""].filter((cidr) => cidr !== ""));
      } catch (error) {
        if (!hasStatus(error, 404) && !hasStatus(error, 403)) throw error;
      }
    }
    return undefined;
  }

  /** Arguments of the API server's static pods. */
  async apiServerArguments(): Promise<readonly string[]> {
    const pods = await this.#core.listNamespacedPod({
      namespace: "kube-system",
      labelSelector: "component=kube-apiserver",
    });
    return pods.items.flatMap(
      (pod) => pod.spec?.containers.flatMap((c) => [...(c.command ?? []), ...(c.args ?? [])]) ?? [],
    );
  }

  /** The cluster's settings and the version they were read at. */
  async settings(): Promise<{ readonly data: Readonly<Record<string, string>>; readonly version: string }> {
    const map = settings.parse(
      await this.#core.readNamespacedConfigMap({ namespace: SYSTEM_NAMESPACE, name: CONFIG_MAP }),
    );
    return { data: map.data, version: map.metadata.resourceVersion };
  }

  async underlayPools(): Promise<readonly UnderlayPoolObject[]> {
    const answer: unknown = await this.#custom.listClusterCustomObject({
      group: GROUP,
      version: VERSION,
      plural: "underlaypools",
    });
    return list(underlayPool).parse(answer).items;
  }

  async underlayAddresses(labelSelector?: string): Promise<readonly UnderlayAddressObject[]> {
    const answer: unknown = await this.#custom.listClusterCustomObject({
      group: GROUP,
      version: VERSION,
      plural: "underlayaddresses",
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    return list(underlayAddress).parse(answer).items;
  }

  /** False: it is another's. The API server gives each name once: that is the lock. */
  async createUnderlayAddress(
    name: string,
    labels: Readonly<Record<string, string>>,
    spec: UnderlayAddressSpec,
  ): Promise<boolean> {
    try {
      await this.#custom.createClusterCustomObject({
        group: GROUP,
        version: VERSION,
        plural: "underlayaddresses",
        body: { apiVersion: `${GROUP}/${VERSION}`, kind: "UnderlayAddress", metadata: { name, labels }, spec },
      });
      return true;
    } catch (error) {
      if (hasStatus(error, 409)) return false;
      throw error;
    }
  }

  /** Only that object: one of the same name made since is another's. */
  async deleteUnderlayAddress(object: UnderlayAddressObject): Promise<void> {
    try {
      await this.#custom.deleteClusterCustomObject({
        group: GROUP,
        version: VERSION,
        plural: "underlayaddresses",
        name: object.metadata.name,
        body: deleteOptions(object.metadata.uid),
      });
    } catch (error) {
      if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw error;
    }
  }

  /** Writes this node's NodeState, made on first use. */
  async publishNodeState(name: string, status: unknown): Promise<void> {
    const where = { group: GROUP, version: VERSION, plural: "nodestates", name };
    const patch = () =>
      this.#custom.patchClusterCustomObjectStatus(
        { ...where, body: { status } },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      );
    try {
      await patch();
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      await this.#custom.createClusterCustomObject({
        ...where,
        body: { apiVersion: `${GROUP}/${VERSION}`, kind: "NodeState", metadata: { name } },
      });
      await patch();
    }
  }

  /** Calls `changed` whenever an object behind `path` comes, changes or goes; reconnects for ever. */
  follow(path: string, changed: () => void): void {
    const read: ListPromise<KubernetesObject> = async () => {
      const answer: unknown = await this.#list(path);
      return answer as Awaited<ReturnType<ListPromise<KubernetesObject>>>;
    };
    const informer = makeInformer(this.#config, path, read);
    for (const event of ["add", "update", "delete"] as const) informer.on(event, changed);
    informer.on("error", () => setTimeout(() => void start(), RECONNECT_MS));
    const start = async (): Promise<void> => {
      try {
        await informer.start();
      } catch {
        setTimeout(() => void start(), RECONNECT_MS);
      }
    };
    void start();
  }

  #list(path: string): Promise<unknown> {
    const [, , group = "", version = "", plural = ""] = path.split("/");
    if (path === SETTINGS_PATH) return this.#core.listNamespacedConfigMap({ namespace: SYSTEM_NAMESPACE });
    return this.#custom.listClusterCustomObject({ group, version, plural });
  }
}

function deleteOptions(uid: string): V1DeleteOptions {
  const options = new V1DeleteOptions();
  options.preconditions = Object.assign(new V1Preconditions(), { uid });
  return options;
}

const RECONNECT_MS = 2000;
export const SETTINGS_PATH = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps`;
export const CALICO_POOLS_PATH = `/apis/${CALICO.group}/${CALICO.version}/ippools`;

/** The node this agent runs on; by the downward API. */
export function nodeNameOf(env: NodeJS.ProcessEnv): string {
  const name = env["NODE_NAME"] ?? readFileSync("/etc/hostname", "utf8").trim();
  if (name === "") throw new Error("NODE_NAME is empty: the DaemonSet must set it from spec.nodeName");
  return name;
}
