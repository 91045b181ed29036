import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { getCacheRoot } from "../components/cache.ts";
import { runTimed } from "../components/timed.ts";
import { uninstallInterlay } from "../kubernetes/uninstall.ts";
import type { Progress } from "../progress.ts";
import { OWNER_LABEL, type Provider } from "../provider.ts";
import { chooseWorkers, chooseImageSource, chooseNetwork } from "./selection.ts";
import { ExistingCluster } from "./cluster.ts";
import { type ClusterInventory, readInventory } from "./inventory.ts";
import { placeImages } from "./place-images.ts";
import { installInterlay, createPool, removePool } from "./install-interlay.ts";
import { checkPreconditions, type PreflightRow } from "./preflight.ts";
import { createNodePods, type NodePods, ignoreStatus } from "./node-pods.ts";
import { type ExistingOptions, parseExistingOptions, loadKubeConfig } from "./options.ts";
import { toClusterNode, parsePoolRange, toClusterSpec, listVersions } from "./describe.ts";

const UNINSTALL_TIMEOUT_MS = 120_000;
/** Where the suite's pods are in a cluster that others use too. */
export const SUITE_NAMESPACE = "interlay-guest";
/** Where the pods in the nodes' network are: those of the suite are counted. */
const TOOLS_NAMESPACE = `${SUITE_NAMESPACE}-nodes`;

/** What the cluster is and what stands against a run, a row for each thing. Changes nothing. */
export async function runPreflight(options: ExistingOptions): Promise<readonly PreflightRow[]> {
  return checkPreconditions(await readInventory(loadKubeConfig(options)), options);
}

/** Returns the provider for an existing cluster. It restores everything it changes. */
export function createExistingProvider(options: ExistingOptions = parseExistingOptions()): Provider {
  return {
    name: "existing",

    preflight: async () => (await runPreflight(options)).flatMap(({ problem }) => problem ?? []),

    async up(spec, progress) {
      const config = loadKubeConfig(options);
      const facts = await readInventory(config);
      const network = chooseNetwork(facts, options);
      if (facts.kubeProxy === undefined || network === undefined)
        throw new Error("The preflight found problems: see there.");
      await assertNamespacesAreOurs(config);
      const images = await placeImages(
        chooseImageSource(facts.nodes, options),
        { probe: spec.probe, agentImage: options.agentImage },
        progress,
      );
      for (const sentence of images.left) progress.note(`${sentence}.`);
      const workers = chooseWorkers(facts.nodes, spec.workers);
      const nodes = [...facts.nodes.filter(({ controlPlane, ready }) => controlPlane && ready), ...workers].map(
        toClusterNode,
      );
      const names = nodes.map(({ name }) => name);
      const nodePods = options.hostPods
        ? await runTimed(progress, "pods in the nodes' network, to look at rules and routes", () =>
            createNodePods(config, TOOLS_NAMESPACE, names, images.probe),
          )
        : "--no-host-pods";
      if (typeof nodePods === "string") progress.note(`nodes are not looked at: ${nodePods}`);
      await prepareInterlay(
        config,
        facts,
        options,
        { image: images.interlay, workers: workers.map(({ name }) => name), nodePods },
        progress,
      );
      return new ExistingCluster({
        spec: toClusterSpec(spec, facts, facts.kubeProxy),
        kubeconfig: await writeKubeconfig(config),
        nodes,
        probeImage: images.probe,
        versions: listVersions(facts),
        network,
        datapath: options.datapath,
        namespace: SUITE_NAMESPACE,
        nodePods,
      });
    },

    /** Removes everything a run created. Throws one error that lists what could not be removed. */
    async down(_name, progress) {
      const config = loadKubeConfig(options);
      const facts = await readInventory(config);
      const steps: readonly (readonly [string, () => Promise<void>])[] = [
        [`the namespace ${SUITE_NAMESPACE}`, () => removeNamespace(config, SUITE_NAMESPACE)],
        [`the namespace ${TOOLS_NAMESPACE}`, () => removeNamespace(config, TOOLS_NAMESPACE)],
        ["the pool of the suite's own", () => removePool(config, SUITE_NAMESPACE)],
        ["Interlay", () => removeInterlay(config, facts, progress)],
        ["the copy of the kubeconfig", () => rm(getKubeconfigCopy(), { force: true })],
      ];
      const left: string[] = [];
      for (const [what, remove] of steps)
        await remove().catch((error: unknown) => {
          left.push(`${what} (${error instanceof Error ? error.message : String(error)})`);
        });
      if (left.length > 0)
        throw new Error(`Not removed: ${left.join("; ")}. Run npm run down -- --provider existing once more.`);
    },
  };
}

interface ExistingContext {
  readonly image: string;
  readonly workers: readonly string[];
  readonly nodePods: NodePods | string;
}

/** Interlay where it is not, a range of our own where one was named; nothing where another solution is judged. */
async function prepareInterlay(
  config: KubeConfig,
  facts: ClusterInventory,
  { datapath, pool, subnet, uplink }: ExistingOptions,
  { image, workers, nodePods }: ExistingContext,
  progress: Progress,
): Promise<void> {
  if (datapath === "none" || (facts.interlay?.ours === false && pool === undefined)) return;
  const range = pool === undefined ? undefined : await parsePoolRange(pool, subnet, workers, nodePods);
  if (facts.interlay?.ours === false) {
    if (range !== undefined) await createPool(config, SUITE_NAMESPACE, range);
    return;
  }
  if (range === undefined) throw new Error("Interlay is not installed: name a range for its addresses with --pool.");
  const wanted = { image, returnPath: "notrack", pool: range, ...(uplink === undefined ? {} : { uplink }) };
  await runTimed(progress, "install Interlay", () => installInterlay(config, wanted));
}

async function removeInterlay(config: KubeConfig, { interlay }: ClusterInventory, progress: Progress): Promise<void> {
  if (interlay?.ours !== true) return;
  await runTimed(progress, "take Interlay away, and leave the nodes as they were", () =>
    uninstallInterlay(config, { timeoutMs: UNINSTALL_TIMEOUT_MS, force: true, log: () => undefined }),
  );
}

/** A namespace of somebody else's by one of our names is a reason not to begin. */
async function assertNamespacesAreOurs(config: KubeConfig): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  for (const name of [SUITE_NAMESPACE, TOOLS_NAMESPACE]) {
    const there = await core.readNamespace({ name }).catch(ignoreStatus(404));
    if (there !== undefined && there.metadata?.labels?.[OWNER_LABEL] === undefined)
      throw new Error(`namespace ${name} exists and was not created by the suite: delete or rename it.`);
  }
}

async function removeNamespace(config: KubeConfig, name: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const there = () => core.readNamespace({ name }).catch(ignoreStatus(404));
  if ((await there())?.metadata?.labels?.[OWNER_LABEL] === undefined) return;
  await core.deleteNamespace({ name }).catch(ignoreStatus(404, 409));
  while ((await there()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 200));
}

const getKubeconfigCopy = (): string => join(getCacheRoot(), "existing", "kubeconfig");

/** With the chosen context as its current one: all that reads it needs no other word. */
async function writeKubeconfig(config: KubeConfig): Promise<string> {
  const file = getKubeconfigCopy();
  await mkdir(join(getCacheRoot(), "existing"), { recursive: true, mode: 0o700 });
  await writeFile(file, config.exportConfig(), { mode: 0o600 });
  await chmod(file, 0o600); // one that a killed run left keeps its mode
  return file;
}
