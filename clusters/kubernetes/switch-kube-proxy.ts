import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { applyKubeProxySettings } from "../environments/kube-proxy-settings.ts";
import type { KubeProxySettings } from "../spec/environment-spec.ts";
import { formatKubeProxyImage } from "../images/pod-images.ts";
import type { ClusterNode, ExecResult } from "../provider/provider.ts";
import { type KubeProxy, type KubeProxyMode, NO_KUBE_PROXY } from "../spec/kube-proxy.ts";
import type { IpFamily } from "../spec/address-ranges.ts";
import {
  listCleanupArguments,
  adaptConfig,
  hasServiceRules,
  hasSynced,
  parseMode,
  listRulesCommand,
} from "./kube-proxy-config.ts";
import type { Kubectl } from "./kubectl.ts";

const NAMESPACE = "kube-system";
const TIMEOUT_SECONDS = 120;
/** A label that no node has: a DaemonSet that selects it runs nowhere. */
const NOWHERE = "interlay.dev/nowhere";

const configMap = z.object({ data: z.record(z.string(), z.string()) });
const daemonSet = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })).min(1) }) }),
  }),
});

/** The nodes of kube-proxy, and access to them. */
export interface KubeProxyHosts {
  readonly nodes: readonly ClusterNode[];
  /** Address families of the cluster: kube-proxy has a proxier for each. */
  readonly families: readonly IpFamily[];
  /** Settings of the environment for every kube-proxy; undefined: none. */
  readonly settings: KubeProxySettings | undefined;
  exec(node: string, argv: readonly string[]): Promise<ExecResult>;
  /** Runs the kube-proxy of a version on a node, in the node's network namespace. */
  runKubeProxy(node: string, version: string, args: readonly string[]): Promise<ExecResult>;
}

/** Returns version and mode of the running kube-proxy; NO_KUBE_PROXY if the cluster has none. */
export async function readKubeProxy(kubectl: Pick<Kubectl, "run">): Promise<KubeProxy> {
  const [daemonSetJson, configMapJson] = await Promise.all(
    ["daemonset", "configmap"].map((kind) =>
      kubectl.run(["-n", NAMESPACE, "get", kind, "kube-proxy", "-o", "json", "--ignore-not-found"]),
    ),
  );
  if (daemonSetJson === undefined || configMapJson === undefined || daemonSetJson === "" || configMapJson === "")
    return NO_KUBE_PROXY;
  const image = daemonSet.parse(JSON.parse(daemonSetJson)).spec.template.spec.containers[0]?.image ?? "";
  const mode = parseMode(configMap.parse(JSON.parse(configMapJson)).data["config.conf"] ?? "");
  return { version: image.slice(image.lastIndexOf(":") + 1), mode };
}

/**
 * Replaces kube-proxy on every node: stops the running one, removes its rules with its own program (another version would
 * leave some), starts the new one, and waits until it has synced. It does so even if nothing changes, so that
 * afterwards the running kube-proxy has written every rule.
 */
export async function switchKubeProxy(hosts: KubeProxyHosts, kubectl: Kubectl, to: KubeProxy): Promise<void> {
  const from = await readKubeProxy(kubectl);
  await patchDaemonSet(kubectl, { nodeSelector: { [NOWHERE]: "" } });
  await waitUntilDeleted(kubectl);
  await Promise.all(hosts.nodes.map(({ name }) => removeRules(hosts, name, from)));
  await writeConfig(kubectl, to, hosts.settings);
  await patchDaemonSet(kubectl, {
    nodeSelector: { [NOWHERE]: null },
    containers: [{ name: "kube-proxy", image: formatKubeProxyImage(to.version) }],
  });
  await kubectl.waitForRollout("daemonset/kube-proxy", NAMESPACE, TIMEOUT_SECONDS);
  await Promise.all(hosts.nodes.map(({ name }) => waitUntilSynced(hosts, name, to.mode)));
}

function patchDaemonSet(kubectl: Kubectl, podSpec: Readonly<Record<string, unknown>>): Promise<string> {
  const patch = JSON.stringify({
    spec: {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } },
      template: { spec: { terminationGracePeriodSeconds: 1, ...podSpec } },
    },
  });
  return kubectl.run(["-n", NAMESPACE, "patch", "daemonset", "kube-proxy", "--type=strategic", "-p", patch]);
}

async function waitUntilDeleted(kubectl: Kubectl): Promise<void> {
  const selector = ["pod", "-l", "k8s-app=kube-proxy"];
  await kubectl.run(["-n", NAMESPACE, "wait", "--for=delete", ...selector, `--timeout=${TIMEOUT_SECONDS}s`]);
}

/** Runs `kube-proxy --cleanup` of the version that wrote the rules. */
async function removeRules(hosts: KubeProxyHosts, node: string, from: KubeProxy): Promise<void> {
  const { exitCode, stderr, stdout } = await hosts.runKubeProxy(node, from.version, listCleanupArguments(from));
  if (exitCode !== 0)
    throw new Error(
      `kube-proxy ${from.version} --cleanup on ${node} failed with exit code ${exitCode}: ${(stderr || stdout).trim().slice(-400)}`,
    );
}

/** Whether kube-proxy's configuration has an environment's settings. */
export async function hasKubeProxySettings(
  kubectl: Kubectl,
  settings: KubeProxySettings | undefined,
): Promise<boolean> {
  const config = await readConfig(kubectl);
  return isDeepStrictEqual(parse(applyKubeProxySettings(config, settings)), parse(config));
}

async function readConfig(kubectl: Kubectl): Promise<string> {
  const raw: unknown = JSON.parse(await kubectl.run(["-n", NAMESPACE, "get", "configmap", "kube-proxy", "-o", "json"]));
  return configMap.parse(raw).data["config.conf"] ?? "";
}

async function writeConfig(kubectl: Kubectl, to: KubeProxy, settings: KubeProxySettings | undefined): Promise<void> {
  const config = adaptConfig(applyKubeProxySettings(await readConfig(kubectl), settings), to);
  const patch = JSON.stringify({ data: { "config.conf": config } });
  await kubectl.run(["-n", NAMESPACE, "patch", "configmap", "kube-proxy", "-p", patch]);
}

/** Command that prints kube-proxy's metrics, with the time of the last sync. /healthz is 200 before the first one. */
const METRICS = ["curl", "--silent", "--max-time", "2", "http://127.0.0.1:10249/metrics"];

/**
 * Waits until kube-proxy has written its rules: until then, pods on the node cannot reach any Service. Each family has its
 * own proxier, and metrics before v1.33 do not name the family of a sync, so the rules in the kernel are checked too.
 */
export async function waitUntilSynced(
  hosts: Pick<KubeProxyHosts, "exec" | "families">,
  node: string,
  mode: KubeProxyMode,
): Promise<void> {
  const isSynced = async (): Promise<boolean> => {
    if (!hasSynced((await hosts.exec(node, METRICS)).stdout)) return false;
    const rules = await Promise.all(hosts.families.map((family) => hosts.exec(node, listRulesCommand(mode, family))));
    return rules.every(({ stdout }) => hasServiceRules(mode, stdout));
  };
  const deadline = Date.now() + TIMEOUT_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (await isSynced()) return;
    await sleep(200);
  }
  throw new Error(
    `kube-proxy on ${node} has not written its rules after ${TIMEOUT_SECONDS} s: see kubectl -n kube-system logs -l k8s-app=kube-proxy`,
  );
}
