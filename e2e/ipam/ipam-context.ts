import { PatchStrategy } from "@kubernetes/client-node";
import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi, ensureObject, removeNamespace } from "../support/cluster-api.ts";
import type { KubeObject } from "../pods/kube-object.ts";
import { DeferCleanup, Eventually } from "../harness.ts";
import { CONFIG_MAP, GROUP_VERSION, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

export const IPAM_NAMESPACE = "interlay-ipam";

/** Settings that shorten the reclaim of addresses, in seconds. */
const SHORT_TIMEOUTS = {
  addressReclaimSeconds: "1",
  addressReclaimYoungSeconds: "2",
  addressReclaimWithoutNodeSeconds: "5",
} as const;

const addresses = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        address: z.string(),
        pool: z.string(),
        node: z.string(),
        containerId: z.string(),
        pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
        conflict: z.string().optional(),
        reserve: z.boolean().optional(),
      }),
    }),
  ),
});
type HeldAddress = z.infer<typeof addresses>["items"][number]["spec"];

const poolStatus = z.object({
  status: z
    .object({
      total: z.number(),
      used: z.number(),
      free: z.number(),
      conflicts: z.number(),
      draining: z.number(),
      reservations: z.array(z.object({ range: z.string() })).optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })),
    })
    .optional(),
});
type PoolStatus = NonNullable<z.infer<typeof poolStatus>["status"]>;

const underlay = z.object({ spec: z.object({ subnet: z.string(), gateway: z.string() }) });

/** A namespace, pools and networks of the suite, in addition to those of the cluster. */
export class IpamContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  readonly workers: readonly string[];
  readonly #subnet: string;
  readonly #gateway: string;

  private constructor(cluster: Cluster, api: ClusterApi, subnet: string, gateway: string) {
    this.cluster = cluster;
    this.api = api;
    this.workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
    this.#subnet = subnet;
    this.#gateway = gateway;
  }

  static async create(cluster: Cluster, api: ClusterApi): Promise<IpamContext> {
    const { spec } = underlay.parse(
      await api.objects.read({ apiVersion: GROUP_VERSION, kind: "UnderlayPool", metadata: { name: "underlay" } }),
    );
    const context = new IpamContext(cluster, api, spec.subnet, spec.gateway);
    await removeNamespace(api, IPAM_NAMESPACE);
    const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: IPAM_NAMESPACE } };
    await ensureObject(api, namespace);
    DeferCleanup(() => removeNamespace(api, IPAM_NAMESPACE));
    await context.applySettings(SHORT_TIMEOUTS);
    DeferCleanup(() =>
      context.applySettings(Object.fromEntries(Object.keys(SHORT_TIMEOUTS).map((key) => [key, null]))),
    );
    return context;
  }

  /** Returns an address by its last two octets: `buildAddress(7, 1)` is 10.7.217.1 if the underlay is 10.7.0.0/16. */
  buildAddress(pool: number, index: number): string {
    return `${this.#subnet.split(".").slice(0, 2).join(".")}.${210 + pool}.${index}`;
  }

  buildRange(pool: number, size: number): string {
    return `${this.buildAddress(pool, 1)}-${this.buildAddress(pool, size)}`;
  }

  /** Creates an UnderlayPool and an UnderlayNetwork of its name that uses it; the agents write its definition. */
  async createPool(
    name: string,
    spec: { readonly ranges: readonly string[]; readonly reservePerNode?: number },
    options: object = {},
  ): Promise<void> {
    await this.addPool(name, spec);
    await this.addNetwork(name, { pools: [name], options });
  }

  /** Creates an UnderlayPool without a network. */
  async addPool(
    name: string,
    spec: { readonly ranges: readonly string[]; readonly [field: string]: unknown },
  ): Promise<void> {
    const pool = this.#buildObject("UnderlayPool", name, { subnet: this.#subnet, gateway: this.#gateway, ...spec });
    await ensureObject(this.api, pool);
    DeferCleanup(() => this.removeObject(pool));
  }

  /** Creates an UnderlayNetwork, and waits for its definition. */
  async addNetwork(name: string, spec: object): Promise<void> {
    const network = this.#buildObject("UnderlayNetwork", name, { namespace: IPAM_NAMESPACE, ...spec });
    await ensureObject(this.api, network);
    DeferCleanup(() => this.removeObject(network));
    const definition: KubeObject = {
      apiVersion: "k8s.cni.cncf.io/v1",
      kind: "NetworkAttachmentDefinition",
      metadata: { name, namespace: IPAM_NAMESPACE },
    };
    await Eventually(
      `the definition of network ${name}`,
      () => this.api.objects.read(definition).then(() => true),
      (exists) => exists,
    );
  }

  #buildObject(kind: string, name: string, spec: object): KubeObject {
    return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec };
  }

  async applySettings(data: Readonly<Record<string, string | null>>): Promise<void> {
    await this.mergeObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: CONFIG_MAP, namespace: SYSTEM_NAMESPACE },
      data,
    });
  }

  async mergeObject(object: KubeObject): Promise<void> {
    await retryOnServerError(() =>
      this.api.objects.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch),
    );
  }

  async removeObject(object: KubeObject, gracePeriodSeconds?: number): Promise<void> {
    await retryOnServerError(() => this.api.objects.delete(object, undefined, undefined, gracePeriodSeconds)).catch(
      (error: unknown) => {
        if (getStatusCode(error) !== 404) throw error;
      },
    );
  }

  async listHeldAddresses(pool: string): Promise<readonly HeldAddress[]> {
    const list = addresses.parse(
      await retryOnServerError(() => this.api.objects.list(GROUP_VERSION, "UnderlayAddress")),
    );
    return list.items.map(({ spec }) => spec).filter((spec) => spec.pool === pool);
  }

  async holdAddress(spec: Omit<HeldAddress, "conflict">): Promise<void> {
    const object: KubeObject = {
      apiVersion: GROUP_VERSION,
      kind: "UnderlayAddress",
      metadata: { name: spec.address },
      spec: { ifname: "eth0", ...spec },
    };
    await ensureObject(this.api, object);
  }

  async readPoolStatus(pool: string): Promise<PoolStatus> {
    const object = await this.api.objects.read({
      apiVersion: GROUP_VERSION,
      kind: "UnderlayPool",
      metadata: { name: pool },
    });
    const { status } = poolStatus.parse(object);
    if (status === undefined) throw new Error(`UnderlayPool ${pool} has no status yet`);
    return status;
  }

  /** Waits until no address of the pool is in use. */
  async waitUntilEmpty(pool: string): Promise<void> {
    await Eventually(
      `nobody holds an address of ${pool}`,
      () => this.listHeldAddresses(pool),
      (held) => held.every(({ reserve }) => reserve === true),
      { timeout: 90_000, interval: 500 },
    );
  }

  /** Returns the agent's pod on a node. */
  async findAgentPod(node: string): Promise<string> {
    const { items } = await this.api.core.listNamespacedPod({
      namespace: SYSTEM_NAMESPACE,
      labelSelector: "app=interlay",
    });
    const name = items.find(({ spec }) => spec?.nodeName === node)?.metadata?.name;
    if (name === undefined) throw new Error(`${node} has no pod of the agent`);
    return name;
  }
}
