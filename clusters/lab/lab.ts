import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Executables } from "../../plugin/deploy/build.ts";
import { findEtcdVersion, VERSIONS, type ComponentRef } from "../components/catalog.ts";
import { getCacheRoot } from "../components/cache.ts";
import { buildInterlayExecutables } from "../components/interlay.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { type ResolvedComponents, resolveComponents } from "../components/resolve.ts";
import { runTimed } from "../components/timed.ts";
import { Kubectl } from "../kubernetes/kubectl.ts";
import type { Progress } from "../progress.ts";
import type { ClusterSpec, Provider } from "../provider.ts";
import { installBridgeNetwork } from "../overlays/install-bridge.ts";
import { LabCluster } from "./cluster.ts";
import { getLabDirectory, getLabFiles, type LabFiles, planMachines } from "./machines/machine-addresses.ts";
import { raiseNeighbourLimits } from "./machines/neighbour-limits.ts";
import { type LabPlan, readPlan } from "./plan.ts";
import { checkLabPreflight } from "./preflight.ts";
import { stopDaemon, findRunningDaemon, startDaemon } from "./daemon-process.ts";
import { installDns, installKubeProxy, waitForWorkloads } from "./workloads.ts";
import { installAddons } from "../kubernetes/install-addons.ts";
import { readKubeProxy, waitUntilSynced } from "../kubernetes/switch-kube-proxy.ts";
import { detectSpec } from "../detect-spec.ts";
import { getFamily } from "../spec.ts";
import { createKubeProxyHosts } from "./kube-proxy-hosts.ts";

/** What machines take from this computer's /usr. */
const PACKAGES = [
  "iproute2",
  "iptables",
  "nftables",
  "ipset",
  "conntrack",
  "iputils-ping",
  "openssl",
  "curl",
  "procps",
  "tcpdump",
];
const START_TIMEOUT_MS = 60_000;

/** Clusters of network namespaces on one computer: no Docker, no images, no kubelet. README.md says what it is not. */
export const labProvider: Provider = {
  name: "lab",
  preflight: checkLabPreflight,

  async up(spec, progress) {
    await ensureDebianPackages(PACKAGES, progress);
    await raiseNeighbourLimits(spec.workers, progress);
    const components = await resolveComponents(listComponents(spec), progress);
    const interlay = await buildInterlayExecutables(progress);
    const directory = getLabDirectory(spec.name);
    const files = getLabFiles(directory);
    const wanted = await createPlan(spec, components, interlay);
    const kubectl = new Kubectl(components.path("kubectl", spec.kubernetes), files.kubeconfig);
    const plan =
      (await findReusablePlan(files, wanted)) ?? (await createLab(files, wanted, spec, kubectl, components, progress));
    const cluster = await LabCluster.create(spec, plan, directory, kubectl);
    if (spec.environment?.spec.kubeProxy?.installed === false) return cluster;
    const is = await readKubeProxy(kubectl);
    if (is.version !== spec.kubeProxy.version || is.mode !== spec.kubeProxy.mode)
      await runTimed(progress, `switch kube-proxy to ${spec.kubeProxy.version} (${spec.kubeProxy.mode})`, () =>
        cluster.switchKubeProxy(spec.kubeProxy),
      );
    return cluster;
  },

  async find(name, probe, progress) {
    const directory = getLabDirectory(name);
    const plan = await readFinishedPlan(getLabFiles(directory));
    if (plan === undefined)
      throw new Error(`The lab ${name} does not run: npm run up -- --provider lab --name ${name} makes it.`);
    const { kubernetes, machines } = plan;
    const components = await resolveComponents([{ name: "kubectl", version: kubernetes }], progress);
    const kubectl = new Kubectl(components.path("kubectl", kubernetes), getLabFiles(directory).kubeconfig);
    const spec = detectSpec({
      ...{ name, kubernetes, probe, kubeProxy: await readKubeProxy(kubectl) },
      families: plan.serviceCidr6 === undefined ? [getFamily(plan.overlayCidr)] : ["ipv4", "ipv6"],
      workers: machines.nodes.filter(({ role }) => role === "worker").length,
    });
    return LabCluster.create(spec, plan, directory, kubectl);
  },

  async down(name, progress) {
    const files = getLabFiles(getLabDirectory(name));
    await runTimed(progress, `take the lab ${name} down`, () => removeLab(files));
  },
};

async function removeLab(files: LabFiles): Promise<void> {
  await stopDaemon(files);
  await saveLog(files);
  await rm(files.directory, { recursive: true, force: true });
}

/** What the node runners said outlives the lab: a run that failed took it down before anybody could look. */
async function saveLog(files: LabFiles): Promise<void> {
  const logs = join(getCacheRoot(), "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await copyFile(files.log, join(logs, `lab-${basename(files.directory)}.log`)).catch((error: unknown) => {
    if (!String(error).includes("ENOENT")) throw error;
  });
}

async function createLab(
  files: LabFiles,
  wanted: LabPlan,
  spec: ClusterSpec,
  kubectl: Kubectl,
  components: ResolvedComponents,
  progress: Progress,
): Promise<LabPlan> {
  await removeLab(files);
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
  const plan = { ...wanted, port: await findFreePort() };
  await writeFile(files.plan, JSON.stringify(plan), { mode: 0o600 });
  await runTimed(progress, `start the lab ${spec.name}: ${spec.workers + 1} nodes`, () => startLab(files));
  await runTimed(progress, "install kube-proxy, DNS, the pod network, Multus and Interlay", async () => {
    await Promise.all([
      installKubeProxy(kubectl, spec, plan),
      installDns(kubectl, spec),
      installReferenceNetwork(kubectl, spec, plan, files),
      installAddons(kubectl, { spec, interlay: plan.images.interlay, calicoCrds: components.path("calico-crds") }),
    ]);
  });
  await runTimed(progress, "wait until every node and workload is ready", () => waitForWorkloads(kubectl, spec, files));
  const lab = await LabCluster.create(spec, plan, files.directory, kubectl);
  const hosts = createKubeProxyHosts(lab);
  if (spec.environment?.spec.kubeProxy?.installed !== false)
    await Promise.all(lab.nodes.map(({ name }) => waitUntilSynced(hosts, name, spec.kubeProxy.mode)));
  await writeFile(join(files.directory, "complete"), "", { mode: 0o600 });
  return plan;
}

/** The pod network of the reference plugins, where the environment has that: nothing installs it but the provider. */
async function installReferenceNetwork(
  kubectl: Kubectl,
  spec: ClusterSpec,
  plan: LabPlan,
  files: LabFiles,
): Promise<void> {
  if (spec.environment?.spec.overlay?.kind !== "bridge") return;
  const lab = await LabCluster.create(spec, plan, files.directory, kubectl);
  const overlayCidrs = [spec.overlayCidr, ...(spec.ipv6 === undefined ? [] : [spec.ipv6.overlayCidr])];
  await installBridgeNetwork(kubectl, lab, overlayCidrs);
}

async function startLab(files: LabFiles): Promise<void> {
  await startDaemon(files);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while ((await readFile(files.state, "utf8").catch(() => "")) === "") {
    if ((await findRunningDaemon(files)) === undefined || Date.now() > deadline) {
      const said = (await readFile(files.log, "utf8")).trim().split("\n").slice(-12).join("\n");
      await stopDaemon(files);
      throw new Error(`The lab did not start; its log ${files.log} ends with:\n${said}`);
    }
    await sleep(20);
  }
}

/** The plan of the lab that runs, if it was finished. */
async function readFinishedPlan(files: LabFiles): Promise<LabPlan | undefined> {
  const complete = await readFile(join(files.directory, "complete")).catch(() => undefined);
  return complete === undefined || (await findRunningDaemon(files)) === undefined ? undefined : readPlan(files.plan);
}

/** The same, if it is the one that is wanted. */
async function findReusablePlan(files: LabFiles, wanted: LabPlan): Promise<LabPlan | undefined> {
  const is = await readFinishedPlan(files);
  if (is === undefined) return undefined;
  const same = JSON.stringify({ ...is, port: 0 }) === JSON.stringify({ ...wanted, port: 0 });
  return same ? is : undefined;
}

/** A free loopback port; nobody else asks for it between here and the daemon, or `up` says so. */
function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}

function listComponents(spec: ClusterSpec): readonly ComponentRef[] {
  const kubernetes = (["kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const).map(
    (name) => ({
      name,
      version: spec.kubernetes,
    }),
  );
  const proxies = listKubeProxyVersions(spec).map((version) => ({ name: "kube-proxy" as const, version }));
  const calico = (["calico-node", "calico-cni", "calico-kube-controllers", "calico-crds"] as const).map((name) => ({
    name,
    version: VERSIONS.calico,
  }));
  const others = (["multus", "cni-plugins", "coredns"] as const).map((name) => ({ name, version: VERSIONS[name] }));
  const environment = listEnvironmentPrograms(spec).map(({ name, version }) => ({ name, version }));
  return [
    ...[...kubernetes, ...proxies, ...calico, ...others, ...environment],
    { name: "etcd", version: findEtcdVersion(spec.kubernetes) },
  ];
}

/** Returns the programs that an environment needs on top of those of every lab. */
function listEnvironmentPrograms({ environment }: ClusterSpec): readonly ComponentRef[] {
  const { overlay, multus } = environment?.spec ?? {};
  return [
    ...(overlay?.kind === "flannel" ? [{ name: "flannel" as const, version: VERSIONS.flannel }] : []),
    ...(multus === "thick"
      ? (["multus-daemon", "multus-shim"] as const).map((name) => ({ name, version: VERSIONS.multus }))
      : []),
  ];
}

function listKubeProxyVersions(spec: ClusterSpec): readonly string[] {
  return [...new Set([spec.kubeProxy, ...spec.kubeProxies].map(({ version }) => version))].sort();
}

async function createPlan(spec: ClusterSpec, components: ResolvedComponents, interlay: Executables): Promise<LabPlan> {
  const at = (name: Parameters<ResolvedComponents["path"]>[0]) => components.path(name);
  const images = join(import.meta.dirname, "..", "images", "files");
  const content = async (...paths: readonly string[]) => {
    const hash = createHash("sha256");
    for (const path of paths) hash.update(await readFile(path));
    return hash.digest("hex").slice(0, 12);
  };
  return {
    kubernetes: spec.kubernetes,
    overlayCidr: spec.overlayCidr,
    serviceCidr: spec.serviceCidr,
    ...(spec.ipv6 === undefined ? {} : { overlayCidr6: spec.ipv6.overlayCidr, serviceCidr6: spec.ipv6.serviceCidr }),
    machines: planMachines(spec),
    ...(spec.environment === undefined ? {} : { environment: spec.environment.spec }),
    programs: {
      ...Object.fromEntries(
        listKubeProxyVersions(spec).map((version) => [`kube-proxy-${version}`, components.path("kube-proxy", version)]),
      ),
      ...{ etcd: at("etcd"), "kube-apiserver": at("kube-apiserver") },
      ...{ "kube-controller-manager": at("kube-controller-manager"), "kube-scheduler": at("kube-scheduler") },
      ...{ "calico-node": at("calico-node"), calico: at("calico-cni"), "calico-ipam": at("calico-cni") },
      ...{ "kube-controllers": at("calico-kube-controllers"), multus: at("multus"), "cni-plugins": at("cni-plugins") },
      coredns: at("coredns"),
      ...Object.fromEntries(listEnvironmentPrograms(spec).map(({ name }) => [name, at(name)])),
      "calico-files": dirname(join(images, "calico-node/usr/sbin/start_runit")),
      "multus-files": join(images, "multus"),
      lab: join(import.meta.dirname, "files"),
      ...{ node: process.execPath, "prober.ts": join(import.meta.dirname, "fake-kubelet", "probes", "prober.ts") },
      ...{ interlay: interlay.launcher, "interlay-full": interlay.full, probe: spec.probe },
    },
    images: {
      interlay: `interlay.dev/interlay:${await content(interlay.launcher, interlay.full)}`,
      probe: `interlay.dev/probe:${await content(spec.probe)}`,
    },
    port: 0,
  };
}
