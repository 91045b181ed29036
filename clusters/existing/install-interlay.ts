import { AppsV1Api, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import {
  type AdmissionVersion,
  IMAGE,
  readManifest,
  renderAdmission,
  WORKLOADS,
} from "../../plugin/deploy/render-installation.ts";
import { readAdmissionVersion } from "../kubernetes/admission-version.ts";
import { isDaemonSetReady } from "../kubernetes/ready-condition.ts";
import { type AppliedObject, applyObject } from "../kubernetes/server-side-apply.ts";
import { ignoreStatus } from "../kubernetes/status-code.ts";
import { waitUntil } from "../kubernetes/wait-until.ts";
import type { PullSecret } from "../spec/pod-settings.ts";
import { OWNER_LABEL } from "../provider/provider.ts";
import { buildSecret } from "./pull-secrets.ts";
import { OWN_NETWORK } from "./selection.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const TIMEOUT_MS = 180_000;
const [NAMESPACE = "", NETWORK = ""] = OWN_NETWORK.split("/");
const HINT = `see the pods in ${NAMESPACE}`;

/** The range of an UnderlayPool. */
export interface PoolRange {
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly gateway?: string;
}

interface Installation {
  readonly image: string;
  readonly returnPath: string;
  readonly pool: PoolRange;
  /** Parent of the macvlan links; undefined: the link with the default route. */
  readonly uplink?: string;
  readonly pullSecrets: readonly PullSecret[];
}

/** An object of a manifest. */
type PlainObject = KubernetesObject & AppliedObject & { readonly data?: unknown; readonly spec?: unknown };

/** Returns all objects of an installation, definitions first, with the suite's label. Pure. */
function buildInstallation(
  { image, returnPath, pool, uplink, pullSecrets }: Installation,
  admission: AdmissionVersion | undefined,
): readonly PlainObject[] {
  const documents = [
    ...["namespace.yaml", "crds.yaml", "config.yaml"].map(readManifest),
    ...(admission === undefined ? [] : [renderAdmission(admission)]),
    ...WORKLOADS.map((file) => readManifest(file).replace(IMAGE, `image: ${image}\n`)),
  ].flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as PlainObject));
  const network = { pools: [NETWORK], ...(uplink === undefined ? {} : { uplink }) };
  return [
    ...documents
      .map((object) => (object.kind === "ConfigMap" ? { ...object, data: { returnPath } } : object))
      .map((object) => addPullSecrets(object, pullSecrets)),
    ...pullSecrets.map((secret) => buildSecret(secret, NAMESPACE)),
    createInterlayObject("UnderlayPool", NETWORK, pool),
    createInterlayObject("UnderlayNetwork", NETWORK, network),
  ].map(addOwnerLabel);
}

/** Returns a DaemonSet or Deployment with the secrets in its pod template; other objects are returned unchanged. */
function addPullSecrets(object: PlainObject, secrets: readonly PullSecret[]): PlainObject {
  const parsed = workload.safeParse(object).data;
  if (secrets.length === 0 || parsed === undefined) return object;
  const { template } = parsed.spec;
  const podSpec = { ...template.spec, imagePullSecrets: secrets.map(({ name }) => ({ name })) };
  return { ...object, spec: { ...parsed.spec, template: { ...template, spec: podSpec } } };
}

/** An object with a template of pods. */
const workload = z.looseObject({
  spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({ containers: z.array(z.unknown()) }) }) }),
});

function createInterlayObject(kind: string, name: string, spec: unknown): PlainObject {
  return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec };
}

function addOwnerLabel(object: PlainObject): PlainObject {
  const { metadata } = object;
  return { ...object, metadata: Object.assign({}, metadata, { labels: { ...metadata.labels, [OWNER_LABEL]: "e2e" } }) };
}

/** Installs Interlay, or finishes an interrupted installation, and waits for the agents and the network. @throws after a timeout */
export async function installOnExistingCluster(config: KubeConfig, installation: Installation): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  const installed = buildInstallation(installation, await readAdmissionVersion(config));
  for (const object of installed) await applyObject(config, object, deadline);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const apps = config.makeApiClient(AppsV1Api);
  const readAgents = () => apps.readNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
  await waitUntil("the agents are ready", async () => isDaemonSetReady(await readAgents()), deadline, HINT);
  const network = {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { name: NETWORK, namespace: NAMESPACE },
  };
  const readNetwork = () => objects.read(network).catch(ignoreStatus(404));
  const condition = `the network ${OWN_NETWORK} exists`;
  await waitUntil(condition, async () => (await readNetwork()) !== undefined, deadline, HINT);
}

/** Creates an additional pool for the pods of one namespace. */
export async function createPool(config: KubeConfig, namespace: string, pool: PoolRange): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  const object = createInterlayObject("UnderlayPool", namespace, { ...pool, namespaceSelector, priority: 1 });
  await objects.create(addOwnerLabel(object)).catch(ignoreStatus(409));
}

/** Deletes the pool of a namespace. */
export async function removePool(config: KubeConfig, namespace: string): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  await objects.delete(createInterlayObject("UnderlayPool", namespace, {})).catch(ignoreStatus(404));
}
