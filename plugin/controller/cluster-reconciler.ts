import type { z } from "zod";
import { type Ip, parseCidr, parseIp } from "../datapath/address.ts";
import type { PoolOnNode } from "../agent/reconcile/choose-return-path.ts";
import { listExternalAddresses } from "../agent/discovery/service-addresses.ts";
import type { WarningReporter } from "../agent/status/warnings.ts";
import { type KubeClient } from "../kubernetes/kube-client.ts";
import { hasStatus } from "../kubernetes/kube-error.ts";
import {
  GROUP_VERSION,
  inNamespace,
  RESOURCE,
  type UnderlayNetworkObject,
  type UnderlayPoolObject,
} from "../kubernetes/objects.ts";
import {
  addTransitionTimes,
  type networkStatusSchema,
  type poolStatusSchema,
  parseConditions,
  type StatusCondition,
} from "../kubernetes/status-schemas.ts";
import type { Occupant } from "../ipam/pool/occupied.ts";
import { AddressSets } from "./address-sets.ts";
import { listControlPlaneEndpoints } from "./control-plane-endpoint.ts";
import type { ControllerCache } from "./controller-cache.ts";
import { planFinalizers } from "./pool-finalizer.ts";
import { NodeIndex } from "./node-index.ts";
import { labelAddresses } from "./label-addresses.ts";
import { summarizePools } from "./pool-status.ts";
import { listPoolWarnings } from "./pool-warnings.ts";
import { SettledCounts } from "./settled-counts.ts";
import { ReservedRanges } from "./reserved-ranges.ts";
import { buildAttachmentDefinition } from "./underlay-network.ts";

const NODE_ADDRESS_TYPES = ["InternalIP", "ExternalIP"];

/** Does the cluster-wide work of the leader: status of pools, NetworkAttachmentDefinitions, fixed sets, labels of addresses. */
export class ClusterReconciler {
  readonly #kube: KubeClient;
  readonly #cache: ControllerCache;
  readonly #warnings: WarningReporter;
  /** Last written status of each object: as text without times, as text without times and counts, and its conditions. */
  readonly #published = new Map<
    string,
    { readonly text: string; readonly uncounted?: string; readonly conditions: readonly StatusCondition[] }
  >();
  readonly #counts = new SettledCounts();
  readonly #sets: AddressSets;
  readonly #reserved: ReservedRanges;

  constructor(kube: KubeClient, cache: ControllerCache, warnings: WarningReporter) {
    this.#kube = kube;
    this.#cache = cache;
    this.#warnings = warnings;
    this.#reserved = new ReservedRanges(kube);
    this.#sets = new AddressSets(kube, cache);
  }

  start(changed: () => void): void {
    this.#sets.start(changed);
    this.#reserved.start(changed);
  }

  stop(): void {
    this.#sets.stop();
    this.#reserved.stop();
  }

  /** Returns the state of a node: `gone` (deleted), `silent` (not ready), or `well`, so that its agent reclaims its addresses itself. */
  readonly findNodeState = (name: string): "gone" | "silent" | "well" => {
    const { nodes } = this.#cache;
    if (nodes.state !== "known") return "well";
    const node = nodes.get(name);
    if (node === undefined) return "gone";
    return node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True") ? "well" : "silent";
  };

  async reconcile(): Promise<void> {
    if (this.#cache.underlayAddresses.state === "known")
      await labelAddresses(this.#kube, this.#cache.underlayAddresses.values());
    await this.#publishPools();
    await this.#writeDefinitions();
    if (this.#cache.definitions.state !== "known") return;
    await this.#sets.reconcile(
      new Map(
        this.#cache.definitions
          .values()
          .map(({ metadata, spec }) => [`${metadata.namespace ?? ""}/${metadata.name}`, spec.config]),
      ),
    );
  }

  async #publishPools(): Promise<void> {
    if (this.#cache.underlayAddresses.state !== "known") return;
    if (this.#cache.nodes.state !== "known" || !this.#reserved.isKnown) return; // without the nodes their addresses would count as free
    const nodes = this.#indexNodes();
    for (const [name, counts] of summarizePools(this.#cache, this.#listOccupants(), this.#reserved.list())) {
      const pool = this.#cache.underlayPools.get(name);
      if (pool !== undefined) await this.#writeFinalizers(pool, counts);
      const subnet = pool?.spec.subnet;
      const nodesOutside = subnet === undefined ? undefined : countNodesOutside(nodes, subnet);
      const observedGeneration = pool?.metadata.generation ?? 0;
      const status = { ...counts, ...(nodesOutside === undefined ? {} : { nodesOutside }), observedGeneration };
      const text = JSON.stringify(status);
      const published = this.#published.get(name);
      const uncounted = JSON.stringify({ ...status, used: 0, free: 0, reserved: 0 });
      if (published !== undefined && pool?.status !== undefined) {
        if (published.text === text) this.#counts.reset(name);
        if (published.text === text || !this.#counts.isDue(name, published.uncounted === uncounted)) continue;
      }
      const previousConditions = published?.conditions ?? parseConditions(pool?.status);
      const conditions = addTransitionTimes(counts.conditions, previousConditions, new Date());
      const completeStatus: z.infer<typeof poolStatusSchema> = { ...status, conditions };
      try {
        await this.#kube.mergePatch(RESOURCE.underlayPools, name, { status: completeStatus }, "status");
        this.#published.set(name, { text, uncounted, conditions });
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

  /** Indexes the InternalIPs of the nodes; skips invalid addresses. */
  #indexNodes(): NodeIndex {
    return new NodeIndex(
      this.#cache.nodes.values().map(({ metadata, status }) => ({
        name: metadata.name,
        addresses: status.addresses
          .filter(({ type }) => type === "InternalIP")
          .flatMap(({ address }) => parseAddress(address)),
      })),
    );
  }

  /** Lists addresses that pods must not get: of Nodes, Services, gateways and control-plane endpoints. */
  #listOccupants(): readonly Occupant[] {
    const nodes = this.#cache.nodes
      .values()
      .flatMap(({ metadata, status }) =>
        status.addresses
          .filter(({ type }) => NODE_ADDRESS_TYPES.includes(type))
          .map(({ address }) => ({ address, by: `Node ${metadata.name}` })),
      );
    const services = this.#cache.services.values().flatMap((service) => {
      const by = `Service ${service.metadata.namespace ?? ""}/${service.metadata.name}`;
      return listExternalAddresses(service).map(({ address }) => ({ address, by }));
    });
    const gateways = this.#cache.underlayPools
      .values()
      .flatMap(({ metadata, spec }) =>
        spec.gateway === undefined ? [] : [{ address: spec.gateway, by: `gateway of UnderlayPool ${metadata.name}` }],
      );
    return [...nodes, ...services, ...gateways, ...listControlPlaneEndpoints(this.#cache.kubeadm.values())];
  }

  async #writeDefinitions(): Promise<void> {
    if (this.#cache.underlayNetworks.state !== "known" || this.#cache.definitions.state !== "known") return;
    for (const network of this.#cache.underlayNetworks.values()) {
      const desired = buildAttachmentDefinition(network);
      const key = `${desired.metadata.namespace}/${desired.metadata.name}`;
      const existing = this.#cache.definitions.get(key);
      const resource = inNamespace(RESOURCE.attachmentDefinitions, desired.metadata.namespace);
      if (existing === undefined) await this.#kube.create(resource, desired);
      else if (!existing.metadata.ownerReferences.some(({ uid }) => uid === network.metadata.uid)) {
        if (existing.spec.config !== desired.spec.config)
          await this.#publishNetwork(
            network,
            `NetworkAttachmentDefinition ${key} already exists and does not belong to this network: delete it, or rename the network.`,
          );
        continue;
      } else if (existing.spec.config !== desired.spec.config)
        await this.#kube.mergePatch(resource, desired.metadata.name, { spec: desired.spec });
      await this.#publishNetwork(network, undefined);
    }
  }

  async #publishNetwork({ metadata, status }: UnderlayNetworkObject, problem: string | undefined): Promise<void> {
    const condition = {
      type: "Ready",
      status: problem === undefined ? "True" : "False",
      reason: problem === undefined ? "Written" : "NotOurs",
      message: problem ?? "The NetworkAttachmentDefinition is as this network says.",
    } as const;
    const text = JSON.stringify([metadata.generation, condition]);
    const key = `network/${metadata.name}`;
    const published = this.#published.get(key);
    if (published?.text === text) return;
    const conditions = addTransitionTimes([condition], published?.conditions ?? parseConditions(status), new Date());
    const completeStatus: z.infer<typeof networkStatusSchema> = { observedGeneration: metadata.generation, conditions };
    await this.#kube.mergePatch(RESOURCE.underlayNetworks, metadata.name, { status: completeStatus }, "status");
    this.#published.set(key, { text, conditions });
    if (problem === undefined) return;
    const object = { apiVersion: GROUP_VERSION, kind: "UnderlayNetwork", name: metadata.name, uid: metadata.uid };
    await this.#warnings.report(object, [{ reason: condition.reason, message: problem }]);
  }
}

/** Returns undefined for a subnet that cannot be parsed. */
function countNodesOutside(nodes: NodeIndex, subnet: string): PoolOnNode["nodesOutside"] | undefined {
  try {
    return nodes.countOutside(parseCidr(subnet));
  } catch {
    return undefined;
  }
}

/** Returns an empty list for an invalid address, which must not stop the count of the other nodes. */
function parseAddress(address: string): readonly Ip[] {
  try {
    return [parseIp(address)];
  } catch {
    return [];
  }
}
