import { VersionApi } from "@kubernetes/client-node";
import { loadKubeConfig } from "../kubernetes/load-kube-config.ts";
import { listKindComponents } from "../components/catalog.ts";
import { buildInterlayExecutables } from "../components/interlay-executables.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { resolveComponents } from "../components/resolve.ts";
import { ensureEngine, findRunningEngine } from "../docker/engine.ts";
import { runTimed } from "../components/timed.ts";
import { prepareImages } from "../images/prepare.ts";
import { pruneImages, pruneLayers } from "../images/prune.ts";
import type { Progress } from "../progress/progress.ts";
import { readKubeProxy } from "../kubernetes/switch-kube-proxy.ts";
import type { Provider } from "../provider/provider.ts";
import { type ClusterSpec, DEFAULT_SPEC } from "../spec/cluster-spec.ts";
import { addonsStep } from "./addons-step.ts";
import { KindCluster } from "./kind-cluster.ts";
import { nodeSettingsStep } from "./node-settings-step.ts";
import { externalHostsStep } from "./external-hosts-step.ts";
import { importImages } from "./import-images.ts";
import { getKubeconfigPath } from "./cluster-files.ts";
import { kubeProxyStep } from "./kube-proxy-step.ts";
import { Kubectl } from "../kubernetes/kubectl.ts";
import { listNodes } from "./list-nodes.ts";
import { networkStep, networkMatchesSpec } from "./network-step.ts";
import { nodesStep } from "./nodes-step.ts";
import { findFreeUnderlay } from "./free-underlay.ts";
import { raiseLimits } from "../host/kernel-limits.ts";
import { INOTIFY } from "../host/inotify-limits.ts";
import { checkKindPreflight } from "./kind-preflight.ts";
import { detectSpec } from "../spec/detect-spec.ts";
import { createIpv6Ranges } from "../spec/address-ranges.ts";
import { readyStep } from "./ready-step.ts";
import { type Bringup, doSteps, type Step, undoSteps } from "./step.ts";

/** Steps of `up` in their order; `down` undoes them in reverse. */
const STEPS: readonly Step[] = [
  networkStep,
  externalHostsStep,
  nodesStep,
  nodeSettingsStep,
  addonsStep,
  kubeProxyStep,
  readyStep,
];

/** Debian packages that the host needs, in addition to Docker's. */
const PACKAGES = ["iproute2", "iptables"];

/** Provider of kind clusters: nodes are containers, and their Docker network is the underlay. */
export const kindProvider: Provider = {
  name: "kind",
  preflight: checkKindPreflight,

  async up(spec, progress) {
    const bringup = await prepareBringup(spec, progress);
    if ((await networkMatchesSpec(bringup.engine, bringup.spec)) === false)
      await runTimed(progress, `remove the cluster ${spec.name}, which has another underlay`, () =>
        undoSteps(STEPS, bringup.engine, spec.name),
      );
    await doSteps(STEPS, bringup);
    await Promise.all([pruneImages(bringup.engine, bringup.images.node.reference), pruneLayers()]);
    return KindCluster.create(bringup);
  },

  async find(name, probe, progress) {
    const engine = await findRunningEngine();
    const containers = engine === undefined ? [] : await listNodes(engine, name);
    if (containers.length === 0)
      throw new Error(`The kind cluster ${name} does not exist: create it with npm run up -- --name ${name}.`);
    const kubernetes = await readVersion(getKubeconfigPath(name));
    const spec = detectSpec({
      name,
      kubernetes,
      probe,
      kubeProxy: { ...DEFAULT_SPEC.kubeProxy, version: kubernetes },
      families: containers.some(({ address6 }) => address6 !== undefined) ? ["ipv4", "ipv6"] : ["ipv4"],
      workers: containers.filter(({ role }) => role === "worker").length,
    });
    const bringup = await prepareBringup(spec, progress);
    await Promise.all(containers.map((node) => importImages(bringup.engine, node.name, [bringup.images.probe])));
    return KindCluster.create({
      ...bringup,
      spec: { ...bringup.spec, kubeProxy: await readKubeProxy(bringup.kubectl) },
    });
  },

  async down(name, progress) {
    const engine = await findRunningEngine();
    if (engine === undefined) {
      progress.note(`Docker does not run, so the cluster ${name} does not exist.`);
      return;
    }
    await runTimed(progress, `take the cluster ${name} down`, () => undoSteps(STEPS, engine, name));
  },
};

/** Returns the version that the API server reports, like `v1.29.15`. */
async function readVersion(kubeconfig: string): Promise<string> {
  const config = loadKubeConfig({ kubeconfig });
  return (await config.makeApiClient(VersionApi).getCode()).gitVersion;
}

/** Prepares Docker, programs and image layers, which all clusters share and which stay on the machine. */
async function prepareBringup(requested: ClusterSpec, progress: Progress): Promise<Bringup> {
  await ensureDebianPackages(PACKAGES, progress);
  await raiseLimits(INOTIFY, progress);
  const engine = await ensureEngine(progress);
  const underlay = await findFreeUnderlay(engine, requested, progress);
  const spec = {
    ...requested,
    ...underlay,
    ...(requested.ipv6 === undefined ? {} : { ipv6: createIpv6Ranges(underlay) }),
  };
  const kubeProxies = [
    ...new Set([spec.kubernetes, spec.kubeProxy.version, ...spec.kubeProxies.map((kubeProxy) => kubeProxy.version)]),
  ];
  const components = await resolveComponents(listKindComponents(spec.kubernetes, kubeProxies), progress);
  const interlay = await buildInterlayExecutables(progress);
  const request = { kubernetes: spec.kubernetes, kubeProxies, interlay, probe: spec.probe };
  const images = await prepareImages(components, request, progress);
  const kubectl = new Kubectl(components.path("kubectl", spec.kubernetes), getKubeconfigPath(spec.name));
  return { spec, engine, components, images, kubectl, progress };
}
