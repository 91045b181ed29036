import {
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1Namespace,
} from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { listObsoleteObjects } from "../../plugin/deploy/installation.ts";
import { readManifest, renderAdmission, WORKLOADS } from "../../plugin/deploy/render-installation.ts";
import { KubeClient } from "../../plugin/kubernetes/kube-client.ts";
import { RESOURCE, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { renderUninstall, UNINSTALL } from "../../plugin/deploy/render-uninstall.ts";
import { readAdmissionVersion } from "./admission-version.ts";
import { isDaemonSetReady } from "./ready-condition.ts";
import { listServedObjects } from "./served-objects.ts";
import { ignoreStatus } from "./status-code.ts";
import { hasNodeStates, listUnderlayPods } from "./underlay-pods.ts";
import { waitUntil } from "./wait-until.ts";

const poolMetadata = z.object({ name: z.string(), finalizers: z.array(z.string()).default([]) });
const poolList = z.object({ items: z.array(z.object({ metadata: poolMetadata })).default([]) });
const HINT = `see the pods in ${SYSTEM_NAMESPACE}, and run this again`;

interface UninstallOptions {
  /** Timeout for all nodes together. */
  readonly timeoutMs: number;
  /** Image that cleans the nodes if the agents' DaemonSet does not exist any more: after `helm uninstall`. */
  readonly image?: string | undefined;
  /** Whether to uninstall while pods have links that Interlay manages. */
  readonly force: boolean;
  readonly log: (line: string) => void;
}

/**
 * Uninstalls Interlay: stops the agents, restores every node, then deletes Interlay's objects and kinds. Idempotent: a second
 * call finishes one that was interrupted.
 *
 * @throws if pods have links that Interlay manages, if the image is unknown, and after the timeout
 */
export async function uninstallInterlay(config: KubeConfig, options: UninstallOptions): Promise<void> {
  if (!options.force) assertNoUnderlayPods(await listUnderlayPods(config));
  const deadline = Date.now() + options.timeoutMs;
  const waitFor = async (state: string, check: () => Promise<boolean>): Promise<void> => {
    await waitUntil(state, check, deadline, HINT);
    options.log(state);
  };
  const agents = await stopAgents(config, options, waitFor);
  await cleanNodes(config, agents, waitFor);
  await deleteObjects(config, waitFor);
}

type WaitFor = (state: string, check: () => Promise<boolean>) => Promise<void>;

/** Settings of the stopped agents that the cleaning of the nodes needs. */
interface StoppedAgents {
  /** Undefined: the nodes are clean, or are being cleaned. */
  readonly image: string | undefined;
  /** Plugin directory of the nodes; undefined: the default. */
  readonly cniBinDirectory: string | undefined;
}

/** Deletes the agents' DaemonSet and the controller's Deployment, and waits until their pods have ended. */
async function stopAgents(config: KubeConfig, options: UninstallOptions, waitFor: WaitFor): Promise<StoppedAgents> {
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const agents = await apps
    .readNamespacedDaemonSet({ name: "interlay", namespace: SYSTEM_NAMESPACE })
    .catch(ignoreStatus(404));
  await waitForNamespaceDeletion(core, waitFor);
  const pod = agents?.spec?.template.spec;
  const image = pod?.containers[0]?.image ?? options.image;
  const cniBinDirectory = pod?.volumes?.find(({ name }) => name === "cni-bin")?.hostPath?.path;
  if (image === undefined && !(await isCleaning(apps)) && (await hasNodeStates(config)))
    throw new Error(
      "Cannot clean the nodes: the agents' DaemonSet does not exist, so the image is unknown. Name it with --image REFERENCE.",
    );
  await apps
    .deleteNamespacedDeployment({ name: "interlay-controller", namespace: SYSTEM_NAMESPACE })
    .catch(ignoreStatus(404));
  await apps.deleteNamespacedDaemonSet({ name: "interlay", namespace: SYSTEM_NAMESPACE }).catch(ignoreStatus(404));
  // Also without a DaemonSet: after `helm uninstall` its pods may still be ending, and an agent changes its node until then.
  await waitFor("the agents have stopped", async () => {
    const labelSelector = "app in (interlay, interlay-controller)";
    const pods = await core.listNamespacedPod({ namespace: SYSTEM_NAMESPACE, labelSelector });
    return pods.items.length === 0;
  });
  return { image, cniBinDirectory };
}

/** Waits until an earlier deletion of the namespace has ended: before that, nothing can be created in it. */
async function waitForNamespaceDeletion(core: CoreV1Api, waitFor: WaitFor): Promise<void> {
  const read = () => core.readNamespace({ name: SYSTEM_NAMESPACE }).catch(ignoreStatus(404));
  if ((await read())?.metadata?.deletionTimestamp === undefined) return;
  await waitFor("the earlier deletion of Interlay's namespace has ended", async () => (await read()) === undefined);
}

/** Whether the DaemonSet that cleans the nodes exists, from an earlier call. */
async function isCleaning(apps: AppsV1Api): Promise<boolean> {
  const daemonSet = await apps
    .readNamespacedDaemonSet({ name: UNINSTALL, namespace: SYSTEM_NAMESPACE })
    .catch(ignoreStatus(404));
  return daemonSet !== undefined;
}

/** Runs the DaemonSet that restores every node, until all of its pods have done so. */
async function cleanNodes(
  config: KubeConfig,
  { image, cniBinDirectory }: StoppedAgents,
  waitFor: WaitFor,
): Promise<void> {
  const apps = config.makeApiClient(AppsV1Api);
  const cleaning = await isCleaning(apps);
  if (image === undefined && !cleaning) return;
  if (image !== undefined && !cleaning) {
    const namespace = parse(readManifest("namespace.yaml")) as V1Namespace;
    await config.makeApiClient(CoreV1Api).createNamespace({ body: namespace }).catch(ignoreStatus(409));
    await KubernetesObjectApi.makeApiClient(config).create(
      parse(renderUninstall(image, cniBinDirectory)) as KubernetesObject,
    );
  }
  await waitFor("every node is restored", async () =>
    isDaemonSetReady(await apps.readNamespacedDaemonSet({ name: UNINSTALL, namespace: SYSTEM_NAMESPACE })),
  );
}

/** Deletes the objects of the manifests, the kinds and the namespace. */
async function deleteObjects(config: KubeConfig, waitFor: WaitFor): Promise<void> {
  const client = KubernetesObjectApi.makeApiClient(config);
  const admission = await readAdmissionVersion(config);
  const texts = [
    ...["crds.yaml", ...WORKLOADS, "../components/restart-kube-proxy/role.yaml", "namespace.yaml"].map(readManifest),
    ...(admission === undefined ? [] : [renderAdmission(admission)]),
  ];
  const objects = [
    ...texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject)),
    ...listObsoleteObjects().map((object) => object as KubernetesObject),
  ];
  await removeFinalizers(config);
  for (const object of objects) await client.delete(object).catch(ignoreStatus(404));
  const core = config.makeApiClient(CoreV1Api);
  await waitFor("Interlay's namespace is deleted", async () => {
    const namespace = await core.readNamespace({ name: SYSTEM_NAMESPACE }).catch(ignoreStatus(404));
    return namespace === undefined;
  });
}

/** Removes Interlay's finalizers of pools: the controller, which would remove them, does not run any more. */
async function removeFinalizers(config: KubeConfig): Promise<void> {
  const kube = new KubeClient(config);
  const pools = await listServedObjects(config, RESOURCE.underlayPools.plural);
  if (pools === undefined) return;
  const { items } = poolList.parse(pools.list);
  for (const { metadata } of items) {
    const finalizers = metadata.finalizers.filter((name) => !name.startsWith("interlay.dev/"));
    if (finalizers.length < metadata.finalizers.length)
      await kube.mergePatch(pools.resource, metadata.name, { metadata: { finalizers } }).catch(ignoreStatus(404));
  }
}

function assertNoUnderlayPods(pods: readonly string[]): void {
  if (pods.length === 0) return;
  const [first = ""] = pods;
  const subject = pods.length === 1 ? `pod ${first} has` : `${pods.length} pods (${pods.join(", ")}) have`;
  throw new Error(
    `Cannot uninstall: ${subject} links that Interlay manages. Delete them first. With --force they run on without the routes through their node, and cannot be deleted until Interlay is installed again.`,
  );
}
