import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "../../components/run-command.ts";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import { buildMachineCommand } from "../machines/nsenter.ts";

const CONFIGURATION_DIRECTORY = "/etc/cni/net.d";
const PLUGIN_DIRECTORY = "/opt/cni/bin";

/** Duration in seconds from which a plugin call is written to the daemon's log. */
const SLOW_CALL_SECONDS = 5;
/** Timeout of a plugin call. */
const CALL_TIMEOUT_MS = 60_000;

const plugin = z.looseObject({
  type: z.string(),
  capabilities: z.looseObject({ portMappings: z.boolean().optional() }).optional(),
});
const configuration = z.union([
  z.looseObject({ name: z.string(), cniVersion: z.string().default("0.3.1"), plugins: z.array(plugin).min(1) }),
  plugin
    .extend({ name: z.string(), cniVersion: z.string().default("0.3.1") })
    .transform((single) => ({ name: single.name, cniVersion: single.cniVersion, plugins: [single] })),
]);
/** A CNI configuration list; a configuration of one plugin is read as a list of one. */
export type CniConfiguration = z.infer<typeof configuration>;

const result = z.looseObject({ ips: z.array(z.looseObject({ address: z.string() })).default([]) });
export type PluginResult = z.infer<typeof result>;
const failure = z.object({ code: z.number(), msg: z.string(), details: z.string().optional() });

/** Name of the link that the runtime creates in a pod; Multus creates the others. */
export const IFNAME = "eth0";

type CniVerb = "ADD" | "CHECK" | "DEL" | "GC" | "STATUS";

/** An attachment of a pod to a network, in the terms of the CNI specification. GC and STATUS have none. */
export interface CniAttachment {
  readonly container: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** The pod's hostPorts, for plugins with that capability, as libcni passes them. */
  readonly portMappings: readonly PortMapping[];
}

/** A port mapping, as CONVENTIONS.md of the CNI specification defines it. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: string;
}

/** Reads the configuration that a runtime uses: the directory's first by name. @returns undefined if there is none yet */
export async function readCniConfiguration(machine: number): Promise<CniConfiguration | undefined> {
  const directory = `/proc/${machine}/root${CONFIGURATION_DIRECTORY}`;
  const [fileName] = (await readdir(directory).catch(() => []))
    .filter((name) => /^[^.].*\.(conf|conflist|json)$/.test(name))
    .sort();
  return fileName === undefined
    ? undefined
    : configuration.parse(JSON.parse(await readFile(join(directory, fileName), "utf8")));
}

/**
 * Calls the plugins of a configuration as a container runtime does: in their order, for DEL in reverse, each with the result
 * of the one before. A verb that the configuration's version does not have is skipped.
 *
 * @param previous the cached result of ADD, for CHECK and DEL
 * @param validAttachments attachments of the node, for GC
 * @returns the last result
 * @throws with the plugin's error
 */
export async function callPlugins(
  verb: CniVerb,
  machine: number,
  network: CniConfiguration,
  attachment: CniAttachment | undefined,
  previous?: PluginResult,
  validAttachments: readonly { readonly containerID: string; readonly ifname: string }[] = [],
): Promise<PluginResult | undefined> {
  if (!isVerbSupported(network.cniVersion, verb)) return previous;
  let lastResult = previous;
  for (const pluginConfiguration of verb === "DEL" ? network.plugins.toReversed() : network.plugins) {
    const stdin = {
      ...pluginConfiguration,
      name: network.name,
      cniVersion: network.cniVersion,
      ...(lastResult === undefined ? {} : { prevResult: lastResult }),
      ...(takesPortMappings(pluginConfiguration, attachment)
        ? { runtimeConfig: { portMappings: attachment?.portMappings } }
        : {}),
      ...(verb === "GC" ? { "cni.dev/valid-attachments": validAttachments } : {}),
    };
    const start = performance.now();
    const call = await runCommand(buildMachineCommand(machine, [`${PLUGIN_DIRECTORY}/${pluginConfiguration.type}`]), {
      env: { ...buildPluginEnvironment(verb, attachment) },
      stdin: JSON.stringify(stdin),
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const seconds = (performance.now() - start) / 1000;
    if (seconds > SLOW_CALL_SECONDS) logSlowCall(`${pluginConfiguration.type} ${verb}`, seconds, attachment);
    if (call.exitCode !== 0)
      throw new Error(
        `${pluginConfiguration.type} ${verb} failed after ${seconds.toFixed(1)} s: ${parsePluginError(call.stdout, call.stderr)}`,
      );
    if (verb === "ADD") lastResult = convertResult(network.cniVersion, result.parse(JSON.parse(call.stdout)));
  }
  return lastResult;
}

function takesPortMappings(
  { capabilities }: CniConfiguration["plugins"][number],
  attachment: CniAttachment | undefined,
): boolean {
  return capabilities?.portMappings === true && (attachment?.portMappings ?? []).length > 0;
}

/** Calls STATUS. Returns why the plugins cannot serve ADD; undefined if they can. */
export async function findPluginProblem(machine: number, network: CniConfiguration): Promise<string | undefined> {
  try {
    await callPlugins("STATUS", machine, network, undefined);
    return undefined;
  } catch (error) {
    return getErrorMessage(error);
  }
}

function logSlowCall(call: string, seconds: number, attachment: CniAttachment | undefined): void {
  const pod = attachment === undefined ? "" : ` for ${attachment.namespace}/${attachment.pod}`;
  process.stderr.write(`${new Date().toISOString()} ${call}${pod} took ${seconds.toFixed(1)} s\n`);
}

/**
 * Converts a result to the configuration's version, as libcni does before it caches it: Multus answers in its delegate's
 * version, and rejects that as prevResult. Up to version 0.4.0 each address had a field for its family.
 */
export function convertResult(version: string, { ips, ...otherFields }: PluginResult): PluginResult {
  return { ...otherFields, cniVersion: version, ips: ips.map(({ version: _family, ...ip }) => ip) };
}

/** Whether a version of the CNI specification has a verb: CHECK came with 0.4.0, GC and STATUS came with 1.1.0. */
export function isVerbSupported(version: string, verb: CniVerb): boolean {
  const since = verb === "CHECK" ? [0, 4] : verb === "GC" || verb === "STATUS" ? [1, 1] : [0, 0];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > (since[0] ?? 0) || (major === since[0] && minor >= (since[1] ?? 0));
}

function buildPluginEnvironment(
  verb: CniVerb,
  attachment: CniAttachment | undefined,
): Readonly<Record<string, string>> {
  const common = { CNI_COMMAND: verb, CNI_PATH: PLUGIN_DIRECTORY };
  if (attachment === undefined) return common;
  const { container, netns, namespace, pod, uid } = attachment;
  const cniArguments = {
    IgnoreUnknown: "1",
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: pod,
    K8S_POD_INFRA_CONTAINER_ID: container,
    K8S_POD_UID: uid,
  };
  return {
    ...common,
    CNI_CONTAINERID: container,
    CNI_NETNS: netns,
    CNI_IFNAME: IFNAME,
    CNI_ARGS: Object.entries(cniArguments)
      .map(([key, value]) => `${key}=${value}`)
      .join(";"),
  };
}

function parsePluginError(stdout: string, stderr: string): string {
  try {
    const { msg, details } = failure.parse(JSON.parse(stdout));
    return details === undefined || details === "" ? msg : `${msg}; ${details}`;
  } catch {
    return (stderr || stdout).trim().slice(-400) || "the plugin printed nothing";
  }
}
