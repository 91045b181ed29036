import { setTimeout as sleep } from "node:timers/promises";
import {
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";
import { readManifest } from "../../plugin/deploy/render.ts";
import { renderUninstall, UNINSTALL } from "../../plugin/deploy/uninstall.ts";
import { getStatusCode } from "./status-code.ts";
import { hasNodeStates, missing, listUnderlayPods } from "./underlay-pods.ts";

const NAMESPACE = "interlay-system";
const POLL_MS = 500;

export interface UninstallOptions {
  /** For all nodes. */
  readonly timeoutMs: number;
  /** What cleans the nodes where no DaemonSet of the agents says it: after `helm uninstall`. */
  readonly image?: string | undefined;
  /** Also while pods have links of Interlay's. */
  readonly force: boolean;
  readonly log: (line: string) => void;
}

/**
 * The agents end, every node is left as it was, then Interlay's objects and kinds go. Idempotent; one that was interrupted is
 * finished by the next. Errors: pods that are wired, no image to clean the nodes with, what did not come true in time.
 */
export async function uninstallInterlay(config: KubeConfig, options: UninstallOptions): Promise<void> {
  const { timeoutMs, log } = options;
  if (!options.force) assertNoUnderlayPods(await listUnderlayPods(config));
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const deadline = Date.now() + timeoutMs;
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) {
      if (Date.now() > deadline)
        throw new Error(`"${what}" did not come true; see the pods in ${NAMESPACE}, and run this again.`);
      await sleep(POLL_MS);
    }
    log(what);
  };
  const daemonSet = (name: string) => apps.readNamespacedDaemonSet({ name, namespace: NAMESPACE }).catch(missing);

  const agents = await daemonSet("interlay");
  const image = agents?.spec?.template.spec?.containers[0]?.image ?? options.image;
  const begun = (await daemonSet(UNINSTALL)) !== undefined;
  if (image === undefined && !begun && (await hasNodeStates(config)))
    throw new Error(
      "The agents' DaemonSet is gone, and nothing else says which image leaves the nodes as they were: name it by --image REFERENCE.",
    );
  if (agents !== undefined) {
    await apps.deleteNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
    await until("the agents ended", async () => {
      const pods = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: "app=interlay" });
      return pods.items.length === 0;
    });
  }
  if (image !== undefined && !begun) {
    await core.createNamespace({ body: { metadata: { name: NAMESPACE } } }).catch(thereAlready);
    await objects.create(parse(renderUninstall(image)) as KubernetesObject);
  }
  if (image !== undefined || begun)
    await until("every node is as it was", async () => {
      const { status } = await apps.readNamespacedDaemonSet({ name: UNINSTALL, namespace: NAMESPACE });
      return (
        status !== undefined &&
        status.desiredNumberScheduled > 0 &&
        status.numberReady === status.desiredNumberScheduled
      );
    });

  const all = ["crds", "interlay", "namespace"].flatMap((file) =>
    parseAllDocuments(readManifest(`${file}.yaml`)).map((document) => document.toJS() as KubernetesObject),
  );
  for (const object of all) await objects.delete(object).catch(missing);
  await until("Interlay's namespace is gone", async () => {
    const there = await core.readNamespace({ name: NAMESPACE }).catch(missing);
    return there === undefined;
  });
}

function assertNoUnderlayPods(pods: readonly string[]): void {
  if (pods.length === 0) return;
  const [first, ...more] = pods;
  const which = more.length === 0 ? `Pod ${first ?? ""} has` : `${pods.length} pods (${pods.join(", ")}) have`;
  throw new Error(
    `${which} a link of Interlay's: delete them first. With --force they run on without the way through their node, and none of them ends until Interlay is there again.`,
  );
}

function thereAlready(error: unknown): void {
  if (getStatusCode(error) === 409) return;
  throw error;
}
