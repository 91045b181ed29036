import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, CoreV1Api, KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { Command } from "commander";
import { parseAllDocuments, parse } from "yaml";
import { manifest } from "../plugin/deploy/render.ts";
import { renderUninstall, UNINSTALL } from "../plugin/deploy/uninstall.ts";

/** `npm run uninstall`: the agents end, every node is left as it was, then Interlay's objects and kinds go. */
const NAMESPACE = "interlay-system";
const flags = new Command("uninstall")
  .description("take Interlay off a cluster: nodes first, then its objects and their kinds")
  .option("--kubeconfig <file>", "of the cluster; else the usual one")
  .option("--timeout <seconds>", "for all nodes", "120")
  .parse()
  .opts<{ kubeconfig?: string; timeout: string }>();

const config = new KubeConfig();
if (flags.kubeconfig === undefined) config.loadFromDefault();
else config.loadFromFile(flags.kubeconfig);
const apps = config.makeApiClient(AppsV1Api);
const core = config.makeApiClient(CoreV1Api);
const objects = KubernetesObjectApi.makeApiClient(config);
const deadline = Date.now() + 1000 * Number(flags.timeout);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const missing = (error: unknown): undefined => {
  if (typeof error === "object" && error !== null && "code" in error && error.code === 404) return undefined;
  throw error;
};

try {
  const found = await apps.readNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE }).catch(missing);
  const image = found?.spec?.template.spec?.containers[0]?.image;
  if (image !== undefined) {
    const uninstaller = parse(renderUninstall(image)) as KubernetesObject;
    await apps.deleteNamespacedDaemonSet({ name: "interlay", namespace: NAMESPACE });
    await until("the agents ended", async () => {
      const pods = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: "app=interlay" });
      return pods.items.length === 0;
    });
    await objects.create(uninstaller);
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
  say("Interlay's kinds, roles and namespace are deleted.");
} catch (error) {
  process.stderr.write(`uninstall: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (Date.now() > deadline)
      throw new Error(`"${what}" did not come true; see the pods in ${NAMESPACE}, and run this again.`);
    await sleep(500);
  }
  say(what);
}
