import { listClusterVersions } from "../addons/cluster-versions.ts";
import { VERSIONS } from "../components/catalog.ts";
import type { DockerEngine } from "../docker/engine.ts";
import { startExternalHost } from "../external/external-host.ts";
import type { Image } from "../images/archive.ts";
import type { ClusterImages } from "../images/prepare.ts";
import { loadIntoDocker } from "../images/load.ts";
import type { Cluster, ClusterNode, ExternalHost, RoutedClient } from "../provider/provider.ts";
import type { KubeProxy } from "../spec/kube-proxy.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { startRoutedClient } from "./client-network.ts";
import { blockEgress } from "./egress.ts";
import { importImages } from "./import-images.ts";
import { getKubeconfigPath } from "./cluster-files.ts";
import { switchKubeProxy } from "../kubernetes/switch-kube-proxy.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";
import { createKindKubeProxyHosts } from "./kube-proxy-step.ts";
import { listNodes } from "./list-nodes.ts";
import { getNetworkName } from "./network-step.ts";
import type { Bringup } from "./step.ts";

/** A running kind cluster. */
export class KindCluster implements Cluster {
  readonly provider = "kind";
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly #engine: DockerEngine;
  readonly #kubectl: Kubectl;
  readonly #images: ClusterImages;
  #external: Promise<ExternalHost> | undefined;

  constructor({ engine, kubectl, spec, images }: Bringup, nodes: readonly ClusterNode[]) {
    this.spec = spec;
    this.kubeconfig = getKubeconfigPath(spec.name);
    this.nodes = nodes;
    this.probeImage = images.probe.reference;
    this.versions = { ...listClusterVersions(spec), coredns: VERSIONS.coredns, kind: VERSIONS.kind };
    this.#engine = engine;
    this.#kubectl = kubectl;
    this.#images = images;
  }

  static async create(bringup: Bringup): Promise<KindCluster> {
    const nodes = await listNodes(bringup.engine, bringup.spec.name);
    return new KindCluster(
      bringup,
      nodes.map(({ name, role, address, address6 }) => ({
        name,
        role,
        address,
        ...(address6 === undefined ? {} : { address6 }),
      })),
    );
  }

  exec(node: string, argv: readonly string[], options?: { readonly stdin?: string }) {
    return this.#engine.docker(["exec", "-i", node, ...argv], options);
  }

  switchKubeProxy(to: KubeProxy): Promise<void> {
    return switchKubeProxy(createKindKubeProxyHosts(this.#engine, this.spec, this.nodes), this.#kubectl, to);
  }

  async importImages(images: readonly Image[]): Promise<void> {
    for (const { name } of this.nodes) await importImages(this.#engine, name, images);
  }

  blockEgress(): Promise<void> {
    return blockEgress(this.#engine, getNetworkName(this.spec.name));
  }

  external(): Promise<ExternalHost> {
    this.#external ??= this.#startExternal();
    return this.#external;
  }

  async #startExternal(): Promise<ExternalHost> {
    await loadIntoDocker(this.#engine, this.#images.probe);
    const { name } = this.spec;
    return startExternalHost(this.#engine, { cluster: name, network: getNetworkName(name), image: this.probeImage });
  }

  async startRoutedClient(): Promise<RoutedClient> {
    await loadIntoDocker(this.#engine, this.#images.probe);
    return startRoutedClient(this.#engine, this.spec.name, this.probeImage);
  }
}
