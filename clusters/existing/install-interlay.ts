import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { IMAGE, readManifest } from "../../plugin/deploy/render.ts";
import { OWNER_LABEL } from "../provider.ts";
import { OWN_NETWORK } from "./selection.ts";
import { getStatusCode, ignoreStatus } from "./node-pods.ts";

const TIMEOUT_MS = 180_000;
const POLL_MS = 300;
const [NAMESPACE = "", NETWORK = ""] = OWN_NETWORK.split("/");

export interface PoolRange {
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly gateway?: string;
}

export interface Installation {
  readonly image: string;
  readonly returnPath: string;
  readonly pool: PoolRange;
  readonly uplink?: string;
}

/** As JSON has it; the API client's classes are types for us. */
type PlainObject = KubernetesObject & { readonly data?: unknown; readonly spec?: unknown };

/** Everything that an installation makes, marked as ours: definitions first. Pure. */
export function buildInstallation({ image, returnPath, pool, uplink }: Installation): readonly PlainObject[] {
  const documents = ["namespace", "crds", "config", "interlay"].flatMap((file) =>
    parseAllDocuments(readManifest(`${file}.yaml`).replace(IMAGE, `image: ${image}\n`)).map(
      (document) => document.toJS() as PlainObject,
    ),
  );
  const network = { pools: [NETWORK], ...(uplink === undefined ? {} : { uplink }) };
  return [
    ...documents.map((object) => (object.kind === "ConfigMap" ? { ...object, data: { returnPath } } : object)),
    createInterlayObject("UnderlayPool", NETWORK, pool),
    createInterlayObject("UnderlayNetwork", NETWORK, network),
  ].map(addOwnerLabel);
}

function createInterlayObject(kind: string, name: string, spec: unknown): PlainObject {
  return { apiVersion: "interlay.dev/v1alpha1", kind, metadata: { name }, spec };
}

function addOwnerLabel(object: PlainObject): PlainObject {
  const labels = { ...object.metadata?.labels, [OWNER_LABEL]: "e2e" };
  return { ...object, metadata: Object.assign({}, object.metadata, { labels }) };
}

/** Installs Interlay and waits until every node takes pods by it. What a run that was killed has made is used. */
export async function installInterlay(config: KubeConfig, wanted: Installation): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (const object of buildInstallation(wanted)) await createOnceServed(config, object, deadline);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const apps = config.makeApiClient(AppsV1Api);
  await waitUntil(deadline, "the agents are ready", async () => {
    const { status } = await apps.readNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
    return (
      status !== undefined && status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled
    );
  });
  await waitUntil(deadline, `the network ${OWN_NETWORK} is there`, async () => {
    const network = { apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition" };
    const found = await objects
      .read({ ...network, metadata: { name: NETWORK, namespace: NAMESPACE } })
      .catch(ignoreStatus(404));
    return found !== undefined;
  });
}

/** Creates a pool for the suite, in addition to Interlay's pools, for the pods of one namespace. */
export async function createPool(config: KubeConfig, namespace: string, pool: PoolRange): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  const object = createInterlayObject("UnderlayPool", namespace, { ...pool, namespaceSelector, priority: 1 });
  await objects.create(addOwnerLabel(object)).catch(ignoreStatus(409));
}

/** Deletes that pool after its last pod was deleted. */
export async function removePool(config: KubeConfig, namespace: string): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  await objects.delete(createInterlayObject("UnderlayPool", namespace, {})).catch(ignoreStatus(404));
}

/** Kinds are served a moment after their definitions are there; a client remembers the kinds that it has seen. */
async function createOnceServed(config: KubeConfig, object: KubernetesObject, deadline: number): Promise<void> {
  for (;;)
    try {
      await KubernetesObjectApi.makeApiClient(config).create(object).catch(ignoreStatus(409));
      return;
    } catch (error) {
      const notYet = getStatusCode(error) === 404 || /Unrecognized API version and kind/.test(String(error));
      if (!notYet || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
}

async function waitUntil(deadline: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`"${what}" did not come true; see the pods in ${NAMESPACE}.`);
    await sleep(POLL_MS);
  }
}
