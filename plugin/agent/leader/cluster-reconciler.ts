import { z } from "zod";
import { parseCidr, parseIp } from "../../datapath/address.ts";
import { countNodesOutside, type PoolOnNode } from "../reconcile/choose-return-path.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import { hasStatus, type KubeClient } from "../../kubernetes/kube-client.ts";
import { Informer } from "../../kubernetes/informer.ts";
import { objectMeta } from "../../kubernetes/object-meta.ts";
import type { Occupant } from "../../ipam/pool/occupied.ts";
import {
  GROUP_VERSION,
  inNamespace,
  RESOURCE,
  underlayNetwork,
  type UnderlayNetworkObject,
  type UnderlayPoolObject,
} from "../../kubernetes/objects.ts";
import { listExternalAddresses } from "../discovery/service-addresses.ts";
import {
  addTransitionTimes,
  type networkStatusSchema,
  type poolStatusSchema,
  readConditions,
  type StatusCondition,
} from "../../kubernetes/status-schemas.ts";
import { summarizePools } from "../status/pool-status.ts";
import { listPoolWarnings, type WarningReporter } from "../status/warnings.ts";
import { planFinalizers } from "./pool-finalizer.ts";
import { ReservedRanges } from "./reserved-ranges.ts";
import { listControlPlaneEndpoints } from "./control-plane-endpoint.ts";
import { AddressSets } from "./address-sets.ts";
import { buildAttachmentDefinition } from "./underlay-network.ts";

const NODE_ADDRESS_TYPES = ["InternalIP", "ExternalIP"];
const readyNode = z.object({
  metadata: objectMeta,
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
    })
    .default({ conditions: [], addresses: [] }),
});
const definition = z.object({ metadata: objectMeta, spec: z.object({ config: z.string().default("") }) });

/** Cluster-wide work of the leader: status of pools, NetworkAttachmentDefinitions, state of nodes for the reclaim. */
export class ClusterReconciler {
  readonly #kube: KubeClient;
  readonly #view: ClusterCache;
  readonly #nodes: Informer<z.infer<typeof readyNode>>;
  readonly #networks: Informer<UnderlayNetworkObject>;
  readonly #definitions: Informer<z.infer<typeof definition>>;
  readonly #warnings: WarningReporter;
  /** Status of each object as it was last written: as text without times, and its conditions. */
  readonly #published = new Map<string, { readonly text: string; readonly conditions: readonly StatusCondition[] }>();
  readonly #sets: AddressSets;
  readonly #reserved: ReservedRanges;

  constructor(kube: KubeClient, view: ClusterCache, warnings: WarningReporter) {
    this.#kube = kube;
    this.#view = view;
    this.#warnings = warnings;
    this.#nodes = new Informer(kube, RESOURCE.nodes, (object) => readyNode.parse(object));
    this.#networks = new Informer(kube, RESOURCE.underlayNetworks, (object) => underlayNetwork.parse(object));
    this.#reserved = new ReservedRanges(kube);
    this.#sets = new AddressSets(kube, view);
    this.#definitions = new Informer(kube, RESOURCE.attachmentDefinitions, (object) => definition.parse(object));
  }

  start(changed: () => void): void {
    for (const informer of [this.#nodes, this.#networks, this.#definitions]) informer.onChange(changed).start();
    this.#sets.start(changed);
    this.#reserved.start(changed);
  }

  stop(): void {
    for (const informer of [this.#nodes, this.#networks, this.#definitions]) informer.stop();
    this.#sets.stop();
    this.#reserved.stop();
  }

  /** Finds whether a node exists and is ready, so that its agent reclaims its addresses itself. */
  readonly findNodeState = (name: string): "gone" | "silent" | "well" => {
    if (this.#nodes.state !== "known") return "well";
    const node = this.#nodes.get(name);
    if (node === undefined) return "gone";
    return node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True") ? "well" : "silent";
  };

  async pass(): Promise<void> {
    await this.#publishPools();
    await this.#writeDefinitions();
    if (this.#definitions.state !== "known") return;
    await this.#sets.pass(
      new Map(
        this.#definitions
          .values()
          .map(({ metadata, spec }) => [`${metadata.namespace ?? ""}/${metadata.name}`, spec.config]),
      ),
    );
  }

  async #publishPools(): Promise<void> {
    if (this.#view.underlayAddresses.state !== "known") return;
    if (this.#nodes.state !== "known" || !this.#reserved.isKnown) return; // without the nodes their addresses would count as free
    for (const [name, counts] of summarizePools(this.#view, this.#occupants(), this.#reserved.list())) {
      const pool = this.#view.underlayPools.get(name);
      if (pool !== undefined) await this.#writeFinalizers(pool, counts);
      const subnet = pool?.spec.subnet;
      const nodesOutside = subnet === undefined ? undefined : this.#countNodesOutside(subnet);
      const observedGeneration = pool?.metadata.generation ?? 0;
      const status = { ...counts, ...(nodesOutside === undefined ? {} : { nodesOutside }), observedGeneration };
      const text = JSON.stringify(status);
      const before = this.#published.get(name);
      if (before?.text === text && pool?.status !== undefined) continue;
      const known = before?.conditions ?? readConditions(pool?.status);
      const conditions = addTransitionTimes(counts.conditions, known, new Date());
      const complete: z.infer<typeof poolStatusSchema> = { ...status, conditions };
      try {
        await this.#kube.mergePatch(RESOURCE.underlayPools, name, { status: complete }, "status");
        this.#published.set(name, { text, conditions });
      } catch (error) {
        if (!hasStatus(error, 404)) throw error;
        continue;
      }
      const object = { apiVersion: GROUP_VERSION, kind: "UnderlayPool", name, uid: pool?.metadata.uid ?? "" };
      await this.#warnings.report(object, listPoolWarnings(status));
    }
  }

  async #writeFinalizers(pool: UnderlayPoolObject, counts: Parameters<typeof planFinalizers>[1]): Promise<void> {
    const finalizers = planFinalizers(pool, counts);
    if (finalizers === undefined) return;
    const { name, resourceVersion } = pool.metadata;
    try {
      await this.#kube.mergePatch(RESOURCE.underlayPools, name, { metadata: { finalizers, resourceVersion } });
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error; // changed since: the next pass sees it
    }
  }

  /** Returns undefined if the nodes are not known or an address is invalid. */
  #countNodesOutside(subnet: string): PoolOnNode["nodesOutside"] | undefined {
    if (this.#nodes.state !== "known") return undefined;
    try {
      const nodes = this.#nodes.values().map(({ metadata, status }) => ({
        name: metadata.name,
        addresses: status.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => parseIp(address)),
      }));
      return countNodesOutside(parseCidr(subnet), nodes);
    } catch {
      return undefined;
    }
  }

  /** Lists addresses of Nodes and Services outside the overlay: pods must not get them. */
  #occupants(): readonly Occupant[] {
    const nodes = this.#nodes
      .values()
      .flatMap(({ metadata, status }) =>
        status.addresses
          .filter(({ type }) => NODE_ADDRESS_TYPES.includes(type))
          .map(({ address }) => ({ address, by: `Node ${metadata.name}` })),
      );
    const services = this.#view.services.values().flatMap((service) => {
      const by = `Service ${service.metadata.namespace ?? ""}/${service.metadata.name}`;
      return listExternalAddresses(service).map(({ address }) => ({ address, by }));
    });
    const gateways = this.#view.underlayPools
      .values()
      .flatMap(({ metadata, spec }) =>
        spec.gateway === undefined ? [] : [{ address: spec.gateway, by: `gateway of UnderlayPool ${metadata.name}` }],
      );
    return [...nodes, ...services, ...gateways, ...listControlPlaneEndpoints(this.#view.kubeadm.values())];
  }

  async #writeDefinitions(): Promise<void> {
    if (this.#networks.state !== "known" || this.#definitions.state !== "known") return;
    for (const network of this.#networks.values()) {
      const wanted = buildAttachmentDefinition(network);
      const key = `${wanted.metadata.namespace}/${wanted.metadata.name}`;
      const there = this.#definitions.get(key);
      const resource = inNamespace(RESOURCE.attachmentDefinitions, wanted.metadata.namespace);
      if (there === undefined) await this.#kube.create(resource, wanted);
      else if (!there.metadata.ownerReferences.some(({ uid }) => uid === network.metadata.uid)) {
        if (there.spec.config !== wanted.spec.config)
          await this.#tell(
            network,
            `NetworkAttachmentDefinition ${key} is there and not ours: delete it, or rename this network.`,
          );
        continue;
      } else if (there.spec.config !== wanted.spec.config)
        await this.#kube.mergePatch(resource, wanted.metadata.name, { spec: wanted.spec });
      await this.#tell(network, undefined);
    }
  }

  async #tell({ metadata, status }: UnderlayNetworkObject, problem: string | undefined): Promise<void> {
    const condition = {
      type: "Ready",
      status: problem === undefined ? "True" : "False",
      reason: problem === undefined ? "Written" : "NotOurs",
      message: problem ?? "The NetworkAttachmentDefinition is as this network says.",
    } as const;
    const text = JSON.stringify([metadata.generation, condition]);
    const key = `network/${metadata.name}`;
    const before = this.#published.get(key);
    if (before?.text === text) return;
    const conditions = addTransitionTimes([condition], before?.conditions ?? readConditions(status), new Date());
    const complete: z.infer<typeof networkStatusSchema> = { observedGeneration: metadata.generation, conditions };
    await this.#kube.mergePatch(RESOURCE.underlayNetworks, metadata.name, { status: complete }, "status");
    this.#published.set(key, { text, conditions });
    if (problem === undefined) return;
    const object = { apiVersion: GROUP_VERSION, kind: "UnderlayNetwork", name: metadata.name, uid: metadata.uid };
    await this.#warnings.report(object, [{ reason: condition.reason, message: problem }]);
  }
}
