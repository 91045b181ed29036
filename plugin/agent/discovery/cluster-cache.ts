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

/** Informers of the objects that a node's agent reads: a pass of the agent sends no request to the API server. */
export class ClusterCache {
  readonly node;
  /** Pods of this node. */
  readonly pods;
  readonly settings;
  readonly underlayPools;
  /** UnderlayAddresses of this node. */
  readonly underlayAddresses;
  readonly calicoPools;
  /** IPAM blocks of all nodes. Not watched before watchPerNodeKinds. */
  readonly calicoBlocks;
  /** Every Node. Not watched before watchPerNodeKinds. */
  readonly allNodes;
  /** Services with an external address, and the Services of the API server and DNS. */
  readonly services;
  readonly flannel;
  readonly canal;
  readonly felix;
  readonly kubeadm;
  readonly kubeProxyConfig;
  readonly cilium;
  readonly controlPlane;
  readonly serviceCidrs;
  /** Informers that `start` starts. */
  readonly #permanent: readonly Informer[];
  /** Informers that watchPerNodeKinds starts. */
  readonly #perNode: Readonly<Record<PerNodeKind, Informer>>;
  readonly #started = new Set<Informer>();
  #onChange: () => void = () => undefined;

  /** @param reportInvalid called once for each object that is skipped because its schema rejects it */
  constructor(kube: KubeClient, nodeName: string, reportInvalid: (message: string) => void = () => undefined) {
    const informers: Informer[] = [];
    const createInformer = <S extends z.ZodType<{ metadata: ObjectMeta }>>(
      resource: Resource,
      schema: S,
      selection: Selection = {},
      isNeeded: (object: z.infer<S>) => boolean = () => true,
      source: ListSource = "cache",
    ): Informer<z.infer<S>> => {
      const informer = new Informer<z.infer<S>>(
        kube,
        resource,
        (object) => {
          const parsed = schema.parse(object);
          return isNeeded(parsed) ? parsed : undefined;
        },
        { selection, source, reportInvalid },
      );
      informers.push(informer);
      return informer;
    };
    const selectByName = (name: string): Selection => ({ fieldSelector: `metadata.name=${name}` });
    this.node = createInformer(RESOURCE.nodes, nodeObject, selectByName(nodeName));
    this.pods = createInformer(RESOURCE.pods, podObject, { fieldSelector: `spec.nodeName=${nodeName}` });
    this.settings = createInformer(RESOURCE.settings, configMapObject, selectByName(CONFIG_MAP));
    this.underlayPools = createInformer(RESOURCE.underlayPools, underlayPool);
    this.underlayAddresses = createInformer(
      RESOURCE.underlayAddresses,
      underlayAddress,
      { labelSelector: selectNode(nodeName) },
      ({ spec }) => spec.node === nodeName,
    );
    this.calicoPools = createInformer(RESOURCE.calicoPools, calicoPool);
    this.services = createInformer(
      RESOURCE.services,
      serviceObject,
      {},
      (service) => hasExternalAddress(service) || isBasicService(service),
    );
    this.flannel = createInformer(RESOURCE.configMaps, configMapObject, selectByName("kube-flannel-cfg"));
    this.canal = createInformer(RESOURCE.systemConfigMaps, configMapObject, selectByName("canal-config"));
    this.felix = createInformer(RESOURCE.felix, felixConfiguration, selectByName("default"));
    this.kubeadm = createInformer(RESOURCE.systemConfigMaps, configMapObject, selectByName("kubeadm-config"));
    this.kubeProxyConfig = createInformer(RESOURCE.systemConfigMaps, configMapObject, selectByName("kube-proxy"));
    this.cilium = createInformer(RESOURCE.systemConfigMaps, configMapObject, selectByName("cilium-config"));
    this.controlPlane = createInformer(RESOURCE.systemPods, podObject, { labelSelector: "tier=control-plane" });
    this.serviceCidrs = SERVICE_CIDR_VERSIONS.map((version) =>
      createInformer({ api: `/apis/networking.k8s.io/${version}`, plural: "servicecidrs" }, serviceCidr),
    );
    this.#permanent = [...informers];
    this.calicoBlocks = createInformer(
      RESOURCE.calicoBlocks,
      calicoBlock,
      {},
      ({ spec }) => spec.deleted !== "true",
      "pages",
    );
    this.allNodes = createInformer(RESOURCE.nodes, nodeObject.transform(removeLabels));
    this.#perNode = { calicoBlocks: this.calicoBlocks, nodes: this.allNodes };
  }

  /** Starts the informers. @param onChange called on every change of an object that is not an UnderlayAddress */
  start(onChange: () => void): void {
    this.#onChange = onChange;
    for (const informer of this.#permanent) this.#startInformer(informer);
  }

  stop(): void {
    for (const informer of this.#started) informer.stop();
  }

  /** Waits until the objects of every kind that `start` watches have been listed. */
  async waitUntilReady(): Promise<void> {
    await Promise.all(this.#permanent.map((informer) => informer.ready));
  }

  /** Waits for the kinds on which facts depend: all that `start` watches but addresses. */
  async waitUntilFactsListed(): Promise<void> {
    const informers = this.#permanent.filter((informer) => informer !== this.underlayAddresses);
    await Promise.all(informers.map((informer) => informer.ready));
  }

  /**
   * Starts to watch further kinds. Reports a change when the objects of one of them have been listed.
   *
   * @returns whether the objects of all of them have been listed
   */
  watchPerNodeKinds(kinds: readonly PerNodeKind[]): boolean {
    const informers = kinds.map((kind) => this.#perNode[kind]);
    for (const informer of informers)
      if (!this.#started.has(informer)) {
        this.#startInformer(informer);
        void informer.ready.then(this.#onChange);
      }
    return informers.every(({ state }) => state !== "unknown");
  }

  #startInformer(informer: Informer): void {
    this.#started.add(informer);
    // UnderlayAddresses change with every pod, and no fact depends on them.
    if (informer !== this.underlayAddresses) informer.onChange(this.#onChange);
    informer.start();
  }
}

/** Removes labels and unneeded annotations to save memory: there may be thousands of nodes. */
function removeLabels<T extends { readonly metadata: ObjectMeta }>(node: T): T {
  const annotations = Object.entries(node.metadata.annotations).filter(([key]) => key.endsWith("/node-args"));
  return { ...node, metadata: { ...node.metadata, labels: {}, annotations: Object.fromEntries(annotations) } };
}
