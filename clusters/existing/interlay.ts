import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { IMAGE, manifest } from "../../plugin/deploy/render.ts";
import { MADE_BY } from "../provider.ts";
import { OWN_NETWORK } from "./choose.ts";
import { codeOf, unless } from "./node-pods.ts";

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
type Plain = KubernetesObject & { readonly data?: unknown; readonly spec?: unknown };

/** Everything that an installation makes, marked as ours: definitions first. Pure. */
export function installation({ image, returnPath, pool, uplink }: Installation): readonly Plain[] {
  const documents = ["namespace", "crds", "config", "interlay"].flatMap((file) =>
    parseAllDocuments(manifest(`${file}.yaml`).replace(IMAGE, `image: ${image}\n`)).map(
      (document) => document.toJS() as Plain,
    ),
  );
  const network = { pools: [NETWORK], ...(uplink === undefined ? {} : { uplink }) };
  return [
    ...documents.map((object) => (object.kind === "ConfigMap" ? { ...object, data: { returnPath } } : object)),
    interlayObject("UnderlayPool", NETWORK, pool),
    interlayObject("UnderlayNetwork", NETWORK, network),
  ].map(marked);
}

function interlayObject(kind: string, name: string, spec: unknown): Plain {
  return { apiVersion: "interlay.dev/v1alpha1", kind, metadata: { name }, spec };
}

function marked(object: Plain): Plain {
  const labels = { ...object.metadata?.labels, [MADE_BY]: "e2e" };
  return { ...object, metadata: Object.assign({}, object.metadata, { labels }) };
}

/** Installs Interlay and waits until every node takes pods by it. What a run that was killed has made is used. */
export async function installInterlay(config: KubeConfig, wanted: Installation): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (const object of installation(wanted)) await createOnceServed(config, object, deadline);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const apps = config.makeApiClient(AppsV1Api);
  await until(deadline, "the agents are ready", async () => {
    const { status } = await apps.readNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
    return (
      status !== undefined && status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled
    );
  });
  await until(deadline, `the network ${OWN_NETWORK} is there`, async () => {
    const network = { apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition" };
    const found = await objects
      .read({ ...network, metadata: { name: NETWORK, namespace: NAMESPACE } })
      .catch(unless(404));
    return found !== undefined;
  });
}

/** A range of the suite's own beside Interlay's pools, for the pods of one namespace. */
export async function makePool(config: KubeConfig, namespace: string, pool: PoolRange): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  const object = interlayObject("UnderlayPool", namespace, { ...pool, namespaceSelector, priority: 1 });
  await objects.create(marked(object)).catch(unless(409));
}

/** Takes that range away, once its last pod has gone. */
export async function removePool(config: KubeConfig, namespace: string): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  await objects.delete(interlayObject("UnderlayPool", namespace, {})).catch(unless(404));
}

/** Kinds are served a moment after their definitions are there; a client remembers the kinds that it has seen. */
async function createOnceServed(config: KubeConfig, object: KubernetesObject, deadline: number): Promise<void> {
  for (;;)
    try {
      await KubernetesObjectApi.makeApiClient(config).create(object).catch(unless(409));
      return;
    } catch (error) {
      const notYet = codeOf(error) === 404 || /Unrecognized API version and kind/.test(String(error));
      if (!notYet || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
}

async function until(deadline: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`"${what}" did not come true; see the pods in ${NAMESPACE}.`);
    await sleep(POLL_MS);
  }
}
