import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCacheRoot } from "../components/cache.ts";
import { buildInterlayExecutables } from "../components/interlay-executables.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { type ResolvedComponents, resolveComponents } from "../components/resolve.ts";
import { runTimed } from "../components/timed.ts";
import { detectSpec } from "../spec/detect-spec.ts";
import { installAddons } from "../addons/install-addons.ts";
import { Kubectl } from "../kubernetes/kubectl.ts";
import { readKubeProxy, waitUntilSynced } from "../kubernetes/switch-kube-proxy.ts";
import { installBridgeNetwork } from "../addons/install-bridge.ts";
import type { Progress } from "../progress/progress.ts";
import type { Provider } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { getIpFamily } from "../spec/address-ranges.ts";
import { LabCluster } from "./lab-cluster.ts";
import { createPlan, listComponents } from "./create-plan.ts";
import { findRunningDaemon, startLabDaemon, stopLabDaemon } from "./daemon-process.ts";
import { createLabKubeProxyHosts } from "./kube-proxy-hosts.ts";
import { getLabDirectory, getLabFiles, type LabFiles } from "./plan/lab-files.ts";
import { raiseHostNeighbourLimits } from "../host/host-neighbour-limits.ts";
import { isReusable, type LabPlan, readPlan } from "./plan/lab-plan.ts";
import { checkLabPreflight } from "./lab-preflight.ts";
import { installDns, installKubeProxy, waitForWorkloads } from "./lab-workloads.ts";

/** Debian packages whose programs machines use from the host's /usr. */
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
/** Number of lines of the daemon's log in an error. */
const LOG_LINES = 12;

/** Provider of clusters that consist of network namespaces on one computer. README.md lists what they cannot do. */
export const labProvider: Provider = {
  name: "lab",
  preflight: checkLabPreflight,

  async up(spec, progress) {
    await ensureDebianPackages(PACKAGES, progress);
    await raiseHostNeighbourLimits(spec.workers, progress);
    const components = await resolveComponents(listComponents(spec), progress);
    const interlay = await buildInterlayExecutables(progress);
    const directory = getLabDirectory(spec.name);
    const files = getLabFiles(directory);
    const desired = await createPlan(spec, components, interlay);
    const kubectl = new Kubectl(components.path("kubectl", spec.kubernetes), files.kubeconfig);
    const plan =
      (await findReusablePlan(files, desired)) ??
      (await createLab(files, desired, spec, kubectl, components, progress));
    const cluster = await LabCluster.create(spec, plan, directory, kubectl);
    if (spec.environment?.spec.kubeProxy?.installed === false) return cluster;
    const current = await readKubeProxy(kubectl);
    if (current.version !== spec.kubeProxy.version || current.mode !== spec.kubeProxy.mode)
      await runTimed(progress, `switch kube-proxy to ${spec.kubeProxy.version} (${spec.kubeProxy.mode})`, () =>
        cluster.switchKubeProxy(spec.kubeProxy),
      );
    return cluster;
  },

  async find(name, probe, progress) {
    const directory = getLabDirectory(name);
    const files = getLabFiles(directory);
    const plan = await readFinishedPlan(files);
    if (plan === undefined)
      throw new Error(`The lab ${name} does not run: create it with npm run up -- --provider lab --name ${name}.`);
    const { kubernetes, machines } = plan;
    const components = await resolveComponents([{ name: "kubectl", version: kubernetes }], progress);
    const kubectl = new Kubectl(components.path("kubectl", kubernetes), files.kubeconfig);
    const spec = detectSpec({
      name,
      kubernetes,
      probe,
      kubeProxy: await readKubeProxy(kubectl),
      families: plan.serviceCidr6 === undefined ? [getIpFamily(plan.overlayCidr)] : ["ipv4", "ipv6"],
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
  await stopLabDaemon(files);
  await saveLog(files);
  await rm(files.directory, { recursive: true, force: true });
}

/** Copies the daemon's log to the cache, so that it can be read after a failed run has taken the lab down. */
async function saveLog(files: LabFiles): Promise<void> {
  const logs = join(getCacheRoot(), "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await copyFile(files.log, join(logs, `lab-${basename(files.directory)}.log`)).catch((error: unknown) => {
    if (!String(error).includes("ENOENT")) throw error;
  });
}

async function createLab(
  files: LabFiles,
  desired: LabPlan,
  spec: ClusterSpec,
  kubectl: Kubectl,
  components: ResolvedComponents,
  progress: Progress,
): Promise<LabPlan> {
  await removeLab(files);
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
  const plan = { ...desired, port: await findFreePort() };
  await writeFile(files.plan, JSON.stringify(plan), { mode: 0o600 });
  await runTimed(progress, `start the lab ${spec.name}: ${spec.workers + 1} nodes`, () => startLab(files));
  const calicoCrds = components.path("calico-crds");
  await runTimed(progress, "install kube-proxy, DNS, the pod network, Multus and Interlay", () =>
    Promise.all([
      installKubeProxy(kubectl, spec, plan),
      installDns(kubectl, spec),
      installReferenceNetwork(kubectl, spec, plan, files),
      installAddons(kubectl, { spec, interlay: plan.images.interlay, calicoCrds }),
    ]),
  );
  await runTimed(progress, "wait until every node and workload is ready", () => waitForWorkloads(kubectl, spec, files));
  const lab = await LabCluster.create(spec, plan, files.directory, kubectl);
  const hosts = createLabKubeProxyHosts(lab);
  if (spec.environment?.spec.kubeProxy?.installed !== false)
    await Promise.all(lab.nodes.map(({ name }) => waitUntilSynced(hosts, name, spec.kubeProxy.mode)));
  await writeFile(files.complete, "", { mode: 0o600 });
  return plan;
}

/** Installs the pod network of the reference plugins bridge and host-local, if the environment has it. */
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

/** Starts the daemon, and waits until it has written its state. */
async function startLab(files: LabFiles): Promise<void> {
  await startLabDaemon(files);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while ((await readFile(files.state, "utf8").catch(() => "")) === "") {
    if ((await findRunningDaemon(files)) === undefined || Date.now() > deadline) {
      const lines = (await readFile(files.log, "utf8")).trim().split("\n").slice(-LOG_LINES).join("\n");
      await stopLabDaemon(files);
      throw new Error(`The lab did not start; its log ${files.log} ends with:\n${lines}`);
    }
    await sleep(20);
  }
}

/** Returns the plan of the running lab; undefined if it does not run or was not finished. */
async function readFinishedPlan(files: LabFiles): Promise<LabPlan | undefined> {
  const complete = await readFile(files.complete).catch(() => undefined);
  return complete === undefined || (await findRunningDaemon(files)) === undefined ? undefined : readPlan(files.plan);
}

/** Returns the plan of the running lab if it equals the wanted plan, except for the port. */
async function findReusablePlan(files: LabFiles, desired: LabPlan): Promise<LabPlan | undefined> {
  const current = await readFinishedPlan(files);
  if (current === undefined) return undefined;
  return isReusable(current, desired) ? current : undefined;
}

/** Returns a free loopback port. If another program takes it before the daemon does, `up` fails. */
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
