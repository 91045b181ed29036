import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { getCacheRoot } from "../components/cache.ts";
import { runTimed } from "../components/timed.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { ignoreStatus } from "../kubernetes/status-code.ts";
import { uninstallInterlay } from "../kubernetes/uninstall-interlay.ts";
import type { Progress } from "../progress/progress.ts";
import { OWNER_LABEL, type Provider } from "../provider/provider.ts";
import type { PullSecret } from "../spec/pod-settings.ts";
import { chooseNodes, describeLeftOut } from "./choose-nodes.ts";
import { DEFAULT_RETURN_PATH } from "./list-return-paths.ts";
import { createExistingCluster } from "./existing-cluster.ts";
import { listVersions, parsePoolRange, toClusterNode, toClusterSpec } from "./describe.ts";
import { createPool, installOnExistingCluster, removePool } from "./install-interlay.ts";
import { type ClusterInventory, readInventory } from "./inventory/inventory.ts";
import { createNodePods, type NodePods } from "./node-pods.ts";
import { loadKubeConfig } from "../kubernetes/load-kube-config.ts";
import { type ExistingOptions, parseExistingOptions } from "./existing-options.ts";
import { placeImages } from "./place-images.ts";
import { checkPreconditions } from "./existing-preflight.ts";
import { readPullSecrets } from "./pull-secrets.ts";
import { chooseImageSource, chooseNetwork } from "./selection.ts";

const UNINSTALL_TIMEOUT_MS = 120_000;
const POLL_MS = 200;
/** Returns the namespace of the pods in the nodes' networks. The suite counts the pods of its own namespace. */
const getToolsNamespace = (namespace: string): string => `${namespace}-nodes`;

/** Returns the provider of an existing cluster. Its `down` removes everything that a run has created. */
export function createExistingProvider(options: ExistingOptions = parseExistingOptions()): Provider {
  const { namespace } = options;
  const toolsNamespace = getToolsNamespace(namespace);
  return {
    name: "existing",

    async preflight() {
      const rows = checkPreconditions(await readInventory(loadKubeConfig(options), options.nodeSelector), options);
      return rows.flatMap(({ problem }) => problem ?? []);
    },

    async up(spec, progress) {
      const config = loadKubeConfig(options);
      const inventory = await readInventory(config, options.nodeSelector);
      const network = chooseNetwork(inventory, options);
      if (network === undefined) throw new Error("The preflight has errors: run it again and follow its remedies.");
      await assertNamespacesAreOurs(config, [namespace, toolsNamespace]);
      const pullSecrets = await readPullSecrets(config, options.pullSecrets);
      const settings = { ...options.podSettings, pullSecrets };
      const choice = chooseNodes(inventory, options);
      const images = await placeImages(
        chooseImageSource(choice.chosen, options),
        { probe: spec.probe, agentImage: options.agentImage },
        progress,
      );
      for (const sentence of images.remains) progress.note(`${sentence}.`);
      const controlPlanes = inventory.nodes.filter(
        (node) => node.controlPlane && node.ready && !choice.chosen.includes(node),
      );
      const nodes = [
        ...controlPlanes.map((node) => toClusterNode(node, "control-plane")),
        ...choice.chosen.map((node) => toClusterNode(node, "worker")),
      ];
      const nodeNames = nodes.map(({ name }) => name);
      const nodePods = options.hostPods
        ? await runTimed(progress, "create pods in the nodes' network, to read rules and routes", () =>
            createNodePods(config, toolsNamespace, nodeNames, { image: images.probe, settings }),
          )
        : "--no-host-pods is set";
      if (typeof nodePods === "string") progress.note(`rules and routes of nodes are not read: ${nodePods}`);
      const context = {
        image: images.interlay,
        workers: choice.chosen.map(({ name }) => name),
        nodePods,
        pullSecrets,
      };
      await prepareInterlay(config, inventory, options, context, progress);
      return createExistingCluster({
        spec: toClusterSpec(spec, inventory),
        kubeconfig: await writeKubeconfig(config),
        nodes,
        probeImage: images.probe,
        versions: listVersions(inventory),
        network,
        datapath: options.datapath,
        namespace,
        podSettings: settings,
        leftOutNodes: describeLeftOut(choice),
        externalTarget: options.externalTarget,
        nodePods,
      });
    },

    async down(_name, progress) {
      const config = loadKubeConfig(options);
      const inventory = await readInventory(config);
      const steps: readonly RemovalStep[] = [
        { object: `the namespace ${namespace}`, remove: () => removeNamespace(config, namespace) },
        { object: `the namespace ${toolsNamespace}`, remove: () => removeNamespace(config, toolsNamespace) },
        { object: "the suite's pool", remove: () => removePool(config, namespace) },
        { object: "Interlay", remove: () => removeInterlay(config, inventory, progress) },
        { object: "the copy of the kubeconfig", remove: () => rm(getKubeconfigCopy(), { force: true }) },
      ];
      const failures: string[] = [];
      for (const { object, remove } of steps)
        await remove().catch((error: unknown) => {
          failures.push(`${object} (${getErrorMessage(error)})`);
        });
      if (failures.length > 0)
        throw new Error(`Cannot remove ${failures.join("; ")}. Run npm run down -- --provider existing again.`);
    },
  };
}

/** One part of `down`. */
interface RemovalStep {
  /** Noun phrase for an error. */
  readonly object: string;
  readonly remove: () => Promise<void>;
}

interface InstallContext {
  /** Image of Interlay. */
  readonly image: string;
  /** Names of the workers that get pods. */
  readonly workers: readonly string[];
  /** See createNodePods. */
  readonly nodePods: NodePods | string;
  readonly pullSecrets: readonly PullSecret[];
}

/**
 * Installs Interlay with a pool if the cluster does not have it. If the cluster has it, creates a pool for the range of `--pool`, if
 * there is one. Does nothing with `--datapath none`.
 */
async function prepareInterlay(
  config: KubeConfig,
  inventory: ClusterInventory,
  { datapath, pool, subnet, uplink, namespace }: ExistingOptions,
  { image, workers, nodePods, pullSecrets }: InstallContext,
  progress: Progress,
): Promise<void> {
  const isInstalledByUser = inventory.interlay?.installedBySuite === false;
  if (datapath === "none" || (isInstalledByUser && pool === undefined)) return;
  const range = pool === undefined ? undefined : await parsePoolRange(pool, subnet, workers, nodePods);
  if (isInstalledByUser) {
    if (range !== undefined) await createPool(config, namespace, range);
    return;
  }
  if (range === undefined)
    throw new Error("Interlay is not installed, and its installation needs a range of addresses: set --pool.");
  const installation = {
    image,
    returnPath: DEFAULT_RETURN_PATH,
    pool: range,
    pullSecrets,
    ...(uplink === undefined ? {} : { uplink }),
  };
  await runTimed(progress, "install Interlay", () => installOnExistingCluster(config, installation));
}

async function removeInterlay(config: KubeConfig, { interlay }: ClusterInventory, progress: Progress): Promise<void> {
  if (interlay?.installedBySuite !== true) return;
  await runTimed(progress, "uninstall Interlay and restore the nodes", () =>
    uninstallInterlay(config, { timeoutMs: UNINSTALL_TIMEOUT_MS, force: true, log: () => undefined }),
  );
}

/** Checks that the suite created the existing namespaces among `names`. @throws for a namespace without its label */
async function assertNamespacesAreOurs(config: KubeConfig, names: readonly string[]): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  for (const name of names) {
    const namespace = await core.readNamespace({ name }).catch(ignoreStatus(404));
    if (namespace !== undefined && namespace.metadata?.labels?.[OWNER_LABEL] === undefined)
      throw new Error(`namespace ${name} exists and was not created by the suite: choose another with --namespace.`);
  }
}

/** Deletes a namespace that the suite has created, and waits until it is gone. */
async function removeNamespace(config: KubeConfig, name: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const read = () => core.readNamespace({ name }).catch(ignoreStatus(404));
  if ((await read())?.metadata?.labels?.[OWNER_LABEL] === undefined) return;
  await core.deleteNamespace({ name }).catch(ignoreStatus(404, 409));
  while ((await read()) !== undefined) await sleep(POLL_MS);
}

const getKubeconfigCopy = (): string => join(getCacheRoot(), "existing", "kubeconfig");

/** Writes a kubeconfig whose current context is the chosen one, for programs that only take a file. @returns its path */
async function writeKubeconfig(config: KubeConfig): Promise<string> {
  const file = getKubeconfigCopy();
  await mkdir(join(getCacheRoot(), "existing"), { recursive: true, mode: 0o700 });
  await writeFile(file, config.exportConfig(), { mode: 0o600 });
  await chmod(file, 0o600); // an existing file keeps its mode
  return file;
}
