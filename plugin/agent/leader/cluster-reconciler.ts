import { z } from "zod";
import { parseCidr, parseIp } from "../../datapath/address.ts";
import { countNodesOutside, type PoolOnNode } from "../reconcile/choose-return-path.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import { hasStatus, type KubeClient } from "../../kubernetes/kube-client.ts";
import { Informer } from "../../kubernetes/informer.ts";
import { objectMeta } from "../../kubernetes/object-meta.ts";
import type { Occupant } from "../../ipam/pool/occupied.ts";
import { inNamespace, RESOURCE, underlayNetwork, type UnderlayNetworkObject } from "../../kubernetes/objects.ts";
import { listExternalAddresses } from "../discovery/service-addresses.ts";
import { summarizePools } from "../status/pool-status.ts";
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
  readonly #published = new Map<string, string>();

  constructor(kube: KubeClient, view: ClusterCache) {
    this.#kube = kube;
    this.#view = view;
    this.#nodes = new Informer(kube, RESOURCE.nodes, (object) => readyNode.parse(object));
    this.#networks = new Informer(kube, RESOURCE.underlayNetworks, (object) => underlayNetwork.parse(object));
    this.#definitions = new Informer(kube, RESOURCE.attachmentDefinitions, (object) => definition.parse(object));
  }

  start(changed: () => void): void {
    for (const informer of [this.#nodes, this.#networks, this.#definitions]) informer.onChange(changed).start();
  }

  stop(): void {
    for (const informer of [this.#nodes, this.#networks, this.#definitions]) informer.stop();
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
  }

  async #publishPools(): Promise<void> {
    if (this.#view.underlayAddresses.state !== "known") return;
    if (this.#nodes.state !== "known") return; // without the nodes their addresses would count as free
    for (const [name, counts] of summarizePools(this.#view, this.#occupants())) {
      const pool = this.#view.underlayPools.get(name);
      const subnet = pool?.spec.subnet;
      const nodesOutside = subnet === undefined ? undefined : this.#countNodesOutside(subnet);
      const observedGeneration = pool?.metadata.generation ?? 0;
      const status = { ...counts, ...(nodesOutside === undefined ? {} : { nodesOutside }), observedGeneration };
      const text = JSON.stringify(status);
      const now = pool?.status;
      if (this.#published.get(name) === text && now !== undefined) continue;
      try {
        await this.#kube.mergePatch(RESOURCE.underlayPools, name, { status }, "status");
        this.#published.set(name, text);
      } catch (error) {
        if (!hasStatus(error, 404)) throw error;
      }
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
    return [...nodes, ...services];
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

  async #tell({ metadata }: UnderlayNetworkObject, problem: string | undefined): Promise<void> {
    const condition = {
      type: "Ready",
      status: problem === undefined ? "True" : "False",
      reason: problem === undefined ? "Written" : "NotOurs",
      message: problem ?? "The NetworkAttachmentDefinition is as this network says.",
    };
    const text = JSON.stringify([metadata.generation, condition]);
    const key = `network/${metadata.name}`;
    if (this.#published.get(key) === text) return;
    await this.#kube.mergePatch(
      RESOURCE.underlayNetworks,
      metadata.name,
      { status: { observedGeneration: metadata.generation, conditions: [condition] } },
      "status",
    );
    this.#published.set(key, text);
  }
}
