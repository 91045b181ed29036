import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { cacheRoot } from "../components/cache.ts";
import { timed } from "../components/timed.ts";
import { uninstallInterlay } from "../kubernetes/uninstall.ts";
import type { Progress } from "../progress.ts";
import { MADE_BY, type Provider } from "../provider.ts";
import { chosenWorkers, imageSourceOf, networkOf } from "./choose.ts";
import { ExistingCluster } from "./cluster.ts";
import { type ExistingFacts, readFacts } from "./facts.ts";
import { placeImages } from "./images.ts";
import { installInterlay, makePool, removePool } from "./interlay.ts";
import { judge, type Row } from "./judge.ts";
import { makeNodePods, type NodePods, unless } from "./node-pods.ts";
import { type ExistingOptions, existingOptions, kubeConfigOf } from "./options.ts";
import { clusterNode, poolRange, specOf, versionsOf } from "./describe.ts";

const UNINSTALL_TIMEOUT_MS = 120_000;
/** Where the suite's pods are in a cluster that others use too. */
export const GUEST_NAMESPACE = "interlay-guest";
/** Where the pods in the nodes' network are: those of the suite are counted. */
const TOOLS_NAMESPACE = `${GUEST_NAMESPACE}-nodes`;

/** What the cluster is and what stands against a run, a row for each thing. Changes nothing. */
export async function preflightRows(options: ExistingOptions): Promise<readonly Row[]> {
  return judge(await readFacts(kubeConfigOf(options)), options);
}

/** A cluster that is there, and that stays as it was. */
export const existingProvider: Provider = {
  name: "existing",

  preflight: async () => (await preflightRows(existingOptions())).flatMap(({ problem }) => problem ?? []),

  async up(spec, progress) {
    const options = existingOptions();
    const config = kubeConfigOf(options);
    const facts = await readFacts(config);
    const network = networkOf(facts, options);
    if (facts.kubeProxy === undefined || network === undefined)
      throw new Error("The preflight found problems: see there.");
    await refuseForeign(config);
    const images = await placeImages(
      imageSourceOf(facts.nodes, options),
      { probe: spec.probe, agentImage: options.agentImage },
      progress,
    );
    for (const sentence of images.left) progress.note(`${sentence}.`);
    const workers = chosenWorkers(facts.nodes, spec.workers);
    const nodes = [...facts.nodes.filter(({ controlPlane, ready }) => controlPlane && ready), ...workers].map(
      clusterNode,
    );
    const names = nodes.map(({ name }) => name);
    const nodePods = options.hostPods
      ? await timed(progress, "pods in the nodes' network, to look at rules and routes", () =>
          makeNodePods(config, TOOLS_NAMESPACE, names, images.probe),
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
      spec: specOf(spec, facts, facts.kubeProxy),
      kubeconfig: await ownKubeconfig(config),
      nodes,
      probeImage: images.probe,
      versions: versionsOf(facts),
      network,
      datapath: options.datapath,
      nodePods,
    });
  },

  /** All that a run has made: what could not be removed is told in one error, the rest is gone. */
  async down(_name, progress) {
    const config = kubeConfigOf(existingOptions());
    const facts = await readFacts(config);
    const steps: readonly (readonly [string, () => Promise<void>])[] = [
      [`the namespace ${GUEST_NAMESPACE}`, () => removeNamespace(config, GUEST_NAMESPACE)],
      [`the namespace ${TOOLS_NAMESPACE}`, () => removeNamespace(config, TOOLS_NAMESPACE)],
      ["the pool of the suite's own", () => removePool(config, GUEST_NAMESPACE)],
      ["Interlay", () => removeInterlay(config, facts, progress)],
      ["the copy of the kubeconfig", () => rm(kubeconfigCopy(), { force: true })],
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

interface Ground {
  readonly image: string;
  readonly workers: readonly string[];
  readonly nodePods: NodePods | string;
}

/** Interlay where it is not, a range of our own where one was named; nothing where another solution is judged. */
async function prepareInterlay(
  config: KubeConfig,
  facts: ExistingFacts,
  { datapath, pool, subnet, uplink }: ExistingOptions,
  { image, workers, nodePods }: Ground,
  progress: Progress,
): Promise<void> {
  if (datapath === "none" || (facts.interlay?.ours === false && pool === undefined)) return;
  const range = pool === undefined ? undefined : await poolRange(pool, subnet, workers, nodePods);
  if (facts.interlay?.ours === false) {
    if (range !== undefined) await makePool(config, GUEST_NAMESPACE, range);
    return;
  }
  if (range === undefined) throw new Error("Interlay is not installed: name a range for its addresses with --pool.");
  const wanted = { image, returnPath: "notrack", pool: range, ...(uplink === undefined ? {} : { uplink }) };
  await timed(progress, "install Interlay", () => installInterlay(config, wanted));
}

async function removeInterlay(config: KubeConfig, { interlay }: ExistingFacts, progress: Progress): Promise<void> {
  if (interlay?.ours !== true) return;
  await timed(progress, "take Interlay away, and leave the nodes as they were", () =>
    uninstallInterlay(config, { timeoutMs: UNINSTALL_TIMEOUT_MS, force: true, say: () => undefined }),
  );
}

/** A namespace of somebody else's by one of our names is a reason not to begin. */
async function refuseForeign(config: KubeConfig): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  for (const name of [GUEST_NAMESPACE, TOOLS_NAMESPACE]) {
    const there = await core.readNamespace({ name }).catch(unless(404));
    if (there !== undefined && there.metadata?.labels?.[MADE_BY] === undefined)
      throw new Error(`The namespace ${name} is there and is not the suite's: take it away, or rename it.`);
  }
}

async function removeNamespace(config: KubeConfig, name: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const there = () => core.readNamespace({ name }).catch(unless(404));
  if ((await there())?.metadata?.labels?.[MADE_BY] === undefined) return;
  await core.deleteNamespace({ name }).catch(unless(404, 409));
  while ((await there()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 200));
}

const kubeconfigCopy = (): string => join(cacheRoot(), "existing", "kubeconfig");

/** With the chosen context as its current one: all that reads it needs no other word. */
async function ownKubeconfig(config: KubeConfig): Promise<string> {
  const file = kubeconfigCopy();
  await mkdir(join(cacheRoot(), "existing"), { recursive: true, mode: 0o700 });
  await writeFile(file, config.exportConfig(), { mode: 0o600 });
  await chmod(file, 0o600); // one that a killed run left keeps its mode
  return file;
}
