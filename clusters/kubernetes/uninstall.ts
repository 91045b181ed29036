import { setTimeout as sleep } from "node:timers/promises";
import {
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";
import { manifest } from "../../plugin/deploy/render.ts";
import { renderUninstall, UNINSTALL } from "../../plugin/deploy/uninstall.ts";

const NAMESPACE = "interlay-system";
const POLL_MS = 500;

/**
 * The agents end, every node is left as it was, then Interlay's objects and kinds go. Idempotent. Errors: what did not come
 * true in time.
 */
export async function uninstallInterlay(
  config: KubeConfig,
  timeoutMs: number,
  say: (line: string) => void,
): Promise<void> {
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
    say(what);
  };
  const found = await apps.readNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE }).catch(missing);
  const image = found?.spec?.template.spec?.containers[0]?.image;
  if (image !== undefined) {
    await apps.deleteNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
    await until("the agents ended", async () => {
      const pods = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: "app=interlay" });
      return pods.items.length === 0;
    });
    await objects.create(parse(renderUninstall(image)) as KubernetesObject);
    await until("every node is as it was", async () => {
      const { status } = await apps.readNamespacedDaemonSet({ name: UNINSTALL, namespace: NAMESPACE });
      return (
        status !== undefined &&
        status.desiredNumberScheduled > 0 &&
        status.numberReady === status.desiredNumberScheduled
      );
    });
  }
  const all = ["crds", "interlay", "namespace"].flatMap((file) =>
    parseAllDocuments(manifest(`${file}.yaml`)).map((document) => document.toJS() as KubernetesObject),
  );
  for (const object of all) await objects.delete(object).catch(missing);
  await until("Interlay's namespace is gone", async () => {
    const there = await core.readNamespace({ name: NAMESPACE }).catch(missing);
    return there === undefined;
  });
}

function missing(error: unknown): undefined {
  if (typeof error === "object" && error !== null && "code" in error && error.code === 404) return undefined;
  throw error;
}
