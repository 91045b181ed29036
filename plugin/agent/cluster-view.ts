import type { z } from "zod";
import type { Kube, Resource } from "./kube.ts";
import { Mirror, type ObjectMeta, type Selection } from "./mirror.ts";
import {
  calicoBlock,
  calicoPool,
  CONFIG_MAP,
  configMapObject,
  nodeObject,
  podObject,
  RESOURCE,
  serviceCidr,
  underlayAddress,
  underlayPool,
} from "./objects.ts";

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
  /** Of this node alone. */
  readonly calicoBlocks;
  readonly kubeadm;
  readonly kubeProxyConfig;
  readonly cilium;
  readonly controlPlane;
  readonly serviceCidrs;
  readonly #all: readonly Mirror[];

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
    this.calicoBlocks = follow(
      RESOURCE.calicoBlocks,
      calicoBlock,
      {},
      ({ spec }) => spec.node === nodeName && spec.deleted !== "true",
    );
    this.kubeadm = follow(RESOURCE.systemConfigMaps, configMapObject, named("kubeadm-config"));
    this.kubeProxyConfig = follow(RESOURCE.systemConfigMaps, configMapObject, named("kube-proxy"));
    this.cilium = follow(RESOURCE.systemConfigMaps, configMapObject, named("cilium-config"));
    this.controlPlane = follow(RESOURCE.systemPods, podObject, { labelSelector: "tier=control-plane" });
    this.serviceCidrs = SERVICE_CIDR_VERSIONS.map((version) =>
      follow({ api: `/apis/networking.k8s.io/${version}`, plural: "servicecidrs" }, serviceCidr),
    );
    this.#all = all;
  }

  /** @param changed called on every change of any of them but addresses */
  start(changed: () => void): void {
    // Addresses come and go with every pod: no fact is among them.
    for (const mirror of this.#all) (mirror === this.underlayAddresses ? mirror : mirror.onChange(changed)).start();
  }

  stop(): void {
    for (const mirror of this.#all) mirror.stop();
  }

  /** Everything has been looked at once: what is not there now is not there. */
  async ready(): Promise<void> {
    await Promise.all(this.#all.map((mirror) => mirror.ready));
  }

  /** What cannot be followed now, a line each. */
  errors(): readonly string[] {
    return this.#all.flatMap((mirror) =>
      mirror.error === undefined ? [] : [`${mirror.resource.plural}: ${mirror.error}`],
    );
  }
}
