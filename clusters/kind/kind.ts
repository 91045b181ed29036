import { release } from "node:os";
import { buildInterlay } from "../../plugin/deploy/build.ts";
import { renderInterlay } from "../../plugin/deploy/render.ts";
import { defaultSet, VERSIONS } from "../components/catalog.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { type ResolvedComponents, resolveComponents } from "../components/resolve.ts";
import { timed } from "../components/timed.ts";
import { type Engine, ensureEngine } from "../engine/engine.ts";
import { removeExternalHosts, startExternalHost } from "../external/container.ts";
import { loadIntoDocker } from "../images/load.ts";
import { type PreparedImages, prepareImages } from "../images/prepare.ts";
import type { Progress } from "../progress.ts";
import type { Cluster, ClusterNode, ClusterSpec, ExternalHost, Provider } from "../provider.ts";
import { kindConfig } from "./config.ts";
import { createCluster, deleteCluster, kubeconfigPath } from "./create.ts";
import { applyWithDefinitions, installCalico, installMultus } from "./install.ts";
import { Kubectl } from "./kubectl.ts";
import { currentKubeProxy, switchKubeProxy } from "./kube-proxy.ts";
import { ensureNetwork, gatewayOf, networkName, removeNetwork } from "./network.ts";
import { listNodes } from "./nodes.ts";
import { importImages } from "./own-images.ts";
import { kindPreflight } from "./preflight.ts";

const READY_TIMEOUT_SECONDS = 240;
/** What the machine itself needs beside the engine's packages. */
const PACKAGES = ["iproute2", "iptables"];

export const kindProvider: Provider = {
  name: "kind",
  preflight: kindPreflight,

  async up(spec, progress) {
    await ensureDebianPackages(PACKAGES, progress);
    const engine = await ensureEngine(progress);
    const versions = [...new Set([spec.kubernetes, spec.kubeProxy.version, ...spec.kubeProxies.map((k) => k.version)])];
    const components = await resolveComponents(defaultSet(spec.kubernetes, versions), progress);
    const interlay = await buildInterlay();
    const images = await prepareImages(
      engine,
      components,
      { kubernetes: spec.kubernetes, kubeProxies: versions, interlay, probe: spec.probe },
      progress,
    );
    await removeUnfit(engine, components, spec, images, progress);
    await ensureNetwork(engine, spec);
    if ((await listNodes(engine, spec)).length === 0)
      await timed(progress, `create a kind cluster of ${spec.workers + 1} nodes`, async (step) => {
        const config = kindConfig(spec, images.node, images.store);
        await createCluster(engine, components.path("kind"), spec, config, (line) => {
          step.update(line.trim());
        });
      });
    const nodes = await listNodes(engine, spec);
    const kubectl = new Kubectl(components.path("kubectl", spec.kubernetes), kubeconfigPath(spec.name));
    await timed(progress, "install Calico, Multus and Interlay", async () => {
      await Promise.all([
        importImages(engine, nodes, [images.interlay, images.probe]),
        installCalico(kubectl, components, spec),
        installMultus(kubectl),
      ]);
      await applyWithDefinitions(kubectl, interlayManifest(spec, images));
    });
    await timed(progress, "wait until every node and workload is ready", () => untilReady(kubectl));
    const cluster = new KindCluster(engine, kubectl, spec, nodes, images);
    const { version, mode } = await currentKubeProxy(kubectl);
    if (version !== spec.kubeProxy.version || mode !== spec.kubeProxy.mode)
      await timed(progress, `switch kube-proxy to ${spec.kubeProxy.version}`, () =>
        cluster.switchKubeProxy(spec.kubeProxy),
      );
    return cluster;
  },

  async down(name, progress) {
    const engine = await ensureEngine(progress);
    const components = await resolveComponents([{ name: "kind", version: VERSIONS.kind }], progress);
    await timed(progress, `take the cluster ${name} down`, async () => {
      await removeExternalHosts(engine, name);
      await deleteCluster(engine, components.path("kind"), name);
      await removeNetwork(engine, name);
    });
  },
};

/** A cluster that another spec or an interrupted `kind create` left: it goes, and is made anew. */
async function removeUnfit(
  engine: Engine,
  components: ResolvedComponents,
  spec: ClusterSpec,
  images: PreparedImages,
  progress: Progress,
): Promise<void> {
  const nodes = await listNodes(engine, spec);
  const anything = (
    await engine.docker(["ps", "-aq", "--filter", `label=io.x-k8s.kind.cluster=${spec.name}`])
  ).stdout.trim();
  if (anything === "") return;
  const format =
    '{{.Config.Image}} {{range .Mounts}}{{if eq .Destination "/interlay/images"}}{{.Source}}{{end}}{{end}}';
  const made = await Promise.all(
    nodes.map(async ({ name }) => (await engine.docker(["inspect", "--format", format, name])).stdout.trim()),
  );
  const kubectl = new Kubectl(components.path("kubectl", spec.kubernetes), kubeconfigPath(spec.name));
  const joined = await kubectl.run(["get", "nodes", "-o", "name"]).then(
    (names) => names.trim().split("\n").length,
    () => 0,
  );
  const fits =
    nodes.length === spec.workers + 1 &&
    joined === nodes.length &&
    made.every((m) => m === `${images.node} ${images.store}`);
  if (fits) return;
  await timed(progress, `remove the cluster ${spec.name}, which was made otherwise or left unfinished`, () =>
    deleteCluster(engine, components.path("kind"), spec.name),
  );
}

function interlayManifest(spec: ClusterSpec, images: PreparedImages): string {
  return renderInterlay({
    image: images.interlay.reference,
    returnPath: "notrack",
    pools: [
      { name: "underlay", subnet: spec.underlayCidr, ranges: [spec.podRange], gateway: gatewayOf(spec.underlayCidr) },
    ],
  });
}

async function untilReady(kubectl: Kubectl): Promise<void> {
  await Promise.all([
    kubectl.rolledOut("daemonset/calico-node", "kube-system", READY_TIMEOUT_SECONDS),
    kubectl.rolledOut("daemonset/multus", "kube-system", READY_TIMEOUT_SECONDS),
    kubectl.rolledOut("daemonset/kube-proxy", "kube-system", READY_TIMEOUT_SECONDS),
    kubectl.rolledOut("daemonset/interlay", "interlay-system", READY_TIMEOUT_SECONDS),
    kubectl.run(["wait", "--for=condition=Ready", "nodes", "--all", `--timeout=${READY_TIMEOUT_SECONDS}s`]),
  ]);
}

class KindCluster implements Cluster {
  readonly provider = "kind";
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly #engine: Engine;
  readonly #kubectl: Kubectl;
  readonly #images: PreparedImages;
  #external: Promise<ExternalHost> | undefined;

  constructor(
    engine: Engine,
    kubectl: Kubectl,
    spec: ClusterSpec,
    nodes: readonly ClusterNode[],
    images: PreparedImages,
  ) {
    this.spec = spec;
    this.kubeconfig = kubeconfigPath(spec.name);
    this.nodes = nodes;
    this.probeImage = images.probe.reference;
    this.versions = {
      kubernetes: spec.kubernetes,
      calico: VERSIONS.calico,
      multus: VERSIONS.multus,
      cniPlugins: VERSIONS["cni-plugins"],
      kind: VERSIONS.kind,
      kernel: release(),
    };
    this.#engine = engine;
    this.#kubectl = kubectl;
    this.#images = images;
  }

  exec(node: string, argv: readonly string[], options?: { readonly stdin?: string }) {
    return this.#engine.docker(["exec", "-i", node, ...argv], options);
  }

  switchKubeProxy(to: Cluster["spec"]["kubeProxy"]): Promise<void> {
    return switchKubeProxy(this.#engine, this.#kubectl, this.nodes, to);
  }

  external(): Promise<ExternalHost> {
    this.#external ??= this.#startExternal();
    return this.#external;
  }

  async #startExternal(): Promise<ExternalHost> {
    await loadIntoDocker(this.#engine, this.#images.probe);
    const { host } = await startExternalHost(
      this.#engine,
      this.spec.name,
      networkName(this.spec.name),
      this.probeImage,
    );
    return host;
  }
}
