import type { z } from "zod";
import type { PerNodeKind } from "./needed-kinds.ts";
import { isBasicService } from "../../kubernetes/select-services.ts";
import { hasExternalAddress } from "./service-addresses.ts";
import type { KubeClient, Resource } from "../../kubernetes/kube-client.ts";
import { selectNode } from "../../ipam/records/address-labels.ts";
import { Informer } from "../../kubernetes/informer.ts";
import type { Selection } from "../../kubernetes/informer-options.ts";
import type { ListSource } from "../../kubernetes/list-objects.ts";
import type { ObjectMeta } from "../../kubernetes/object-meta.ts";
import {
  calicoBlock,
  calicoPool,
  CONFIG_MAP,
  configMapObject,
  felixConfiguration,
  nodeObject,
  podObject,
  RESOURCE,
  serviceCidr,
  serviceObject,
  underlayAddress,
  underlayPool,
} from "../../kubernetes/objects.ts";

/** ServiceCIDR was v1alpha1 in 1.27, is v1beta1 from 1.31 and v1 from 1.33. */
const SERVICE_CIDR_VERSIONS = ["v1", "v1beta1", "v1alpha1"] as const;

/** The cluster's objects that one node's agent reads, kept by informers: a pass needs no request to the API server. */
export class ClusterCache {
  readonly node;
  /** Of this node alone. */
  readonly pods;
  readonly settings;
  readonly underlayPools;
  /** Of this node alone. */
  readonly underlayAddresses;
  readonly calicoPools;
  /** Of every node; followed where it is needed. */
  readonly calicoBlocks;
  /** Every Node; followed where it is needed. */
  readonly allNodes;
  /** Those with an address outside the cluster, the API server's and DNS. */
  readonly services;
  readonly flannel;
  readonly canal;
  readonly felix;
  readonly kubeadm;
  readonly kubeProxyConfig;
  readonly cilium;
  readonly controlPlane;
  readonly serviceCidrs;
  /** Followed from the start. */
  readonly #always: readonly Informer[];
  readonly #perNode: Readonly<Record<PerNodeKind, Informer>>;
  readonly #started = new Set<Informer>();
  #changed: () => void = () => undefined;

  /** @param reportInvalid called once for each object that is skipped because its schema rejects it */
  constructor(kube: KubeClient, nodeName: string, reportInvalid: (message: string) => void = () => undefined) {
    const all: Informer[] = [];
    const follow = <S extends z.ZodType<{ metadata: ObjectMeta }>>(
      resource: Resource,
      schema: S,
      selection: Selection = {},
      keep: (object: z.infer<S>) => boolean = () => true,
      source: ListSource = "cache",
    ): Informer<z.infer<S>> => {
      const informer = new Informer<z.infer<S>>(
        kube,
        resource,
        (object) => {
          const parsed = schema.parse(object);
          return keep(parsed) ? parsed : undefined;
        },
        { selection, source, reportInvalid },
      );
      all.push(informer);
      return informer;
    };
    const named = (name: string): Selection => ({ fieldSelector: `metadata.name=${name}` });
    this.node = follow(RESOURCE.nodes, nodeObject, named(nodeName));
    this.pods = follow(RESOURCE.pods, podObject, { fieldSelector: `spec.nodeName=${nodeName}` });
    this.settings = follow(RESOURCE.settings, configMapObject, named(CONFIG_MAP));
    this.underlayPools = follow(RESOURCE.underlayPools, underlayPool);
    this.underlayAddresses = follow(
      RESOURCE.underlayAddresses,
      underlayAddress,
      { labelSelector: selectNode(nodeName) },
      ({ spec }) => spec.node === nodeName,
    );
    this.calicoPools = follow(RESOURCE.calicoPools, calicoPool);
    this.services = follow(
      RESOURCE.services,
      serviceObject,
      {},
      (service) => hasExternalAddress(service) || isBasicService(service),
    );
    this.flannel = follow(RESOURCE.configMaps, configMapObject, named("kube-flannel-cfg"));
    this.canal = follow(RESOURCE.systemConfigMaps, configMapObject, named("canal-config"));
    this.felix = follow(RESOURCE.felix, felixConfiguration, named("default"));
    this.kubeadm = follow(RESOURCE.systemConfigMaps, configMapObject, named("kubeadm-config"));
    this.kubeProxyConfig = follow(RESOURCE.systemConfigMaps, configMapObject, named("kube-proxy"));
    this.cilium = follow(RESOURCE.systemConfigMaps, configMapObject, named("cilium-config"));
    this.controlPlane = follow(RESOURCE.systemPods, podObject, { labelSelector: "tier=control-plane" });
    this.serviceCidrs = SERVICE_CIDR_VERSIONS.map((version) =>
      follow({ api: `/apis/networking.k8s.io/${version}`, plural: "servicecidrs" }, serviceCidr),
    );
    this.#always = [...all];
    this.calicoBlocks = follow(RESOURCE.calicoBlocks, calicoBlock, {}, ({ spec }) => spec.deleted !== "true", "pages");
    this.allNodes = follow(RESOURCE.nodes, nodeObject.transform(withoutLabels));
    this.#perNode = { calicoBlocks: this.calicoBlocks, nodes: this.allNodes };
  }

  /** @param changed called on every change of any of them but addresses */
  start(changed: () => void): void {
    this.#changed = changed;
    for (const informer of this.#always) this.#startInformer(informer);
  }

  stop(): void {
    for (const informer of this.#started) informer.stop();
  }

  /** Resolves once every kind that is always watched has been listed. */
  async waitUntilReady(): Promise<void> {
    await Promise.all(this.#always.map((informer) => informer.ready));
  }

  /**
   * Follows further kinds from now on.
   * @returns whether all of them have been read; else a change is reported once they have
   */
  watchPerNodeKinds(kinds: readonly PerNodeKind[]): boolean {
    const informers = kinds.map((kind) => this.#perNode[kind]);
    for (const informer of informers)
      if (!this.#started.has(informer)) {
        this.#startInformer(informer);
        void informer.ready.then(this.#changed);
      }
    return informers.every(({ state }) => state !== "unknown");
  }

  #startInformer(informer: Informer): void {
    this.#started.add(informer);
    // Addresses change with every pod, and no fact depends on them.
    (informer === this.underlayAddresses ? informer : informer.onChange(this.#changed)).start();
  }
}

/** Drops labels and unneeded annotations: there may be thousands of nodes. */
function withoutLabels<T extends { readonly metadata: ObjectMeta }>(node: T): T {
  const annotations = Object.entries(node.metadata.annotations).filter(([key]) => key.endsWith("/node-args"));
  return { ...node, metadata: { ...node.metadata, labels: {}, annotations: Object.fromEntries(annotations) } };
}
