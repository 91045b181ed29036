import type { z } from "zod";
import type { CostlyKind } from "./needed-kinds.ts";
import { hasExternalAddress } from "./service-addresses.ts";
import type { Kube, Resource } from "../../kubernetes/kube-client.ts";
import { Mirror, type ObjectMeta, type Selection } from "../../kubernetes/informer.ts";
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

/** Everything of the cluster that one node's agent looks at, followed by watches: a pass asks the API server nothing. */
export class ClusterView {
  readonly node;
  /** Of this node alone. */
  readonly pods;
  readonly settings;
  readonly underlayPools;
  readonly underlayAddresses;
  readonly calicoPools;
  /** Of every node; followed where it is needed. */
  readonly calicoBlocks;
  /** Every Node; followed where it is needed. */
  readonly allNodes;
  /** Those with an address outside the cluster, and the API server's. */
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
  readonly #always: readonly Mirror[];
  readonly #costly: Readonly<Record<CostlyKind, Mirror>>;
  readonly #started = new Set<Mirror>();
  #changed: () => void = () => undefined;

  constructor(kube: Kube, nodeName: string) {
    const all: Mirror[] = [];
    const follow = <S extends z.ZodType<{ metadata: ObjectMeta }>>(
      resource: Resource,
      schema: S,
      selection: Selection = {},
      keep: (object: z.infer<S>) => boolean = () => true,
    ): Mirror<z.infer<S>> => {
      const mirror = new Mirror<z.infer<S>>(
        kube,
        resource,
        (object) => {
          const parsed = schema.parse(object);
          return keep(parsed) ? parsed : undefined;
        },
        selection,
      );
      all.push(mirror);
      return mirror;
    };
    const named = (name: string): Selection => ({ fieldSelector: `metadata.name=${name}` });
    this.node = follow(RESOURCE.nodes, nodeObject, named(nodeName));
    this.pods = follow(RESOURCE.pods, podObject, { fieldSelector: `spec.nodeName=${nodeName}` });
    this.settings = follow(RESOURCE.settings, configMapObject, named(CONFIG_MAP));
    this.underlayPools = follow(RESOURCE.underlayPools, underlayPool);
    this.underlayAddresses = follow(RESOURCE.underlayAddresses, underlayAddress);
    this.calicoPools = follow(RESOURCE.calicoPools, calicoPool);
    this.services = follow(
      RESOURCE.services,
      serviceObject,
      {},
      (service) =>
        hasExternalAddress(service) ||
        (service.metadata.namespace === "default" && service.metadata.name === "kubernetes"),
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
    this.calicoBlocks = follow(RESOURCE.calicoBlocks, calicoBlock, {}, ({ spec }) => spec.deleted !== "true");
    this.allNodes = follow(RESOURCE.nodes, nodeObject.transform(withoutLabels));
    this.#costly = { calicoBlocks: this.calicoBlocks, nodes: this.allNodes };
  }

  /** @param changed called on every change of any of them but addresses */
  start(changed: () => void): void {
    this.#changed = changed;
    for (const mirror of this.#always) this.#start(mirror);
  }

  stop(): void {
    for (const mirror of this.#started) mirror.stop();
  }

  /** Every kind that is always followed has been read once: what it does not have now does not exist. */
  async ready(): Promise<void> {
    await Promise.all(this.#always.map((mirror) => mirror.ready));
  }

  /**
   * Follows further kinds from now on.
   * @returns whether all of them have been read; else a change is reported once they have
   */
  followCostly(kinds: readonly CostlyKind[]): boolean {
    const mirrors = kinds.map((kind) => this.#costly[kind]);
    for (const mirror of mirrors)
      if (!this.#started.has(mirror)) {
        this.#start(mirror);
        void mirror.ready.then(this.#changed);
      }
    return mirrors.every(({ state }) => state !== "unknown");
  }

  #start(mirror: Mirror): void {
    this.#started.add(mirror);
    // Addresses come and go with every pod: no fact is among them.
    (mirror === this.underlayAddresses ? mirror : mirror.onChange(this.#changed)).start();
  }

  /** What cannot be followed now, a line each. */
  errors(): readonly string[] {
    return [...this.#started].flatMap((mirror) =>
      mirror.error === undefined ? [] : [`${mirror.resource.plural}: ${mirror.error}`],
    );
  }
}

/** Thousands of nodes are kept: without what no fact needs of them. */
function withoutLabels<T extends { readonly metadata: ObjectMeta }>(node: T): T {
  const annotations = Object.entries(node.metadata.annotations).filter(([key]) => key.endsWith("/node-args"));
  return { ...node, metadata: { ...node.metadata, labels: {}, annotations: Object.fromEntries(annotations) } };
}
