import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "../../components/command.ts";
import { buildMachineCommand } from "../nsenter.ts";

const DIRECTORY = "/etc/cni/net.d";
const BINARIES = "/opt/cni/bin";

/** A call that takes longer is told in the daemon's log: plugins that hang are why pods do. */
const SLOW_S = 5;
/** A plugin that has not ended by then is ended, and the call has failed: what hangs is tried again. */
const PATIENCE_MS = 60_000;

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
export type CniConfiguration = z.infer<typeof configuration>;

const result = z.looseObject({ ips: z.array(z.looseObject({ address: z.string() })).default([]) });
export type PluginResult = z.infer<typeof result>;
const failure = z.object({ code: z.number(), msg: z.string(), details: z.string().optional() });

/** A pod's link by its runtime; others are Multus's business. */
export const IFNAME = "eth0";

export type CniVerb = "ADD" | "CHECK" | "DEL" | "GC" | "STATUS";

/** Who is wired, in the words of the CNI specification; GC and STATUS are about nobody. */
export interface CniAttachment {
  readonly container: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** The pod's hostPorts: given to plugins that have the capability, as libcni does. */
  readonly portMappings: readonly PortMapping[];
}

/** As CONVENTIONS.md of the CNI specification has it. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: string;
}

/** The configuration that a runtime takes: the first of the directory. Undefined: the node has no network yet. */
export async function readCniConfiguration(machine: number): Promise<CniConfiguration | undefined> {
  const directory = `/proc/${machine}/root${DIRECTORY}`;
  const [first] = (await readdir(directory).catch(() => []))
    .filter((name) => /^[^.].*\.(conf|conflist|json)$/.test(name))
    .sort();
  return first === undefined
    ? undefined
    : configuration.parse(JSON.parse(await readFile(join(directory, first), "utf8")));
}

/**
 * Calls the network's plugins as a container runtime does: in order (DEL backwards), each with what the one before
 * answered. @param previous the cached result, for CHECK and DEL. Throws with the plugin's own words.
 */
export async function callPlugins(
  verb: CniVerb,
  machine: number,
  network: CniConfiguration,
  attachment: CniAttachment | undefined,
  previous?: PluginResult,
  valid: readonly { readonly containerID: string; readonly ifname: string }[] = [],
): Promise<PluginResult | undefined> {
  if (!isVerbSupported(network.cniVersion, verb)) return previous;
  let last = previous;
  for (const one of verb === "DEL" ? network.plugins.toReversed() : network.plugins) {
    const stdin = {
      ...one,
      name: network.name,
      cniVersion: network.cniVersion,
      ...(last === undefined ? {} : { prevResult: last }),
      ...(takesPortMappings(one, attachment) ? { runtimeConfig: { portMappings: attachment?.portMappings } } : {}),
      ...(verb === "GC" ? { "cni.dev/valid-attachments": valid } : {}),
    };
    const begun = performance.now();
    const answer = await runCommand(buildMachineCommand(machine, [`${BINARIES}/${one.type}`]), {
      env: { ...buildPluginEnvironment(verb, attachment) },
      stdin: JSON.stringify(stdin),
      timeoutMs: PATIENCE_MS,
    });
    const seconds = (performance.now() - begun) / 1000;
    if (seconds > SLOW_S) logSlowCall(`${one.type} ${verb}`, seconds, attachment);
    if (answer.exitCode !== 0)
      throw new Error(
        `${one.type} ${verb} after ${seconds.toFixed(1)} s: ${parsePluginError(answer.stdout, answer.stderr)}`,
      );
    if (verb === "ADD") last = convertResult(network.cniVersion, result.parse(JSON.parse(answer.stdout)));
  }
  return last;
}

function takesPortMappings(
  { capabilities }: CniConfiguration["plugins"][number],
  attachment: CniAttachment | undefined,
): boolean {
  return capabilities?.portMappings === true && (attachment?.portMappings ?? []).length > 0;
}

/** STATUS: why the network's plugins cannot serve ADD, if so. */
export async function findPluginProblem(machine: number, network: CniConfiguration): Promise<string | undefined> {
  try {
    await callPlugins("STATUS", machine, network, undefined);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function logSlowCall(what: string, seconds: number, attachment: CniAttachment | undefined): void {
  const pod = attachment === undefined ? "" : ` for ${attachment.namespace}/${attachment.pod}`;
  process.stderr.write(`${new Date().toISOString()} ${what}${pod} took ${seconds.toFixed(1)} s\n`);
}

/**
 * A result in the configuration's version, as libcni caches it: Multus answers in its delegate's, and refuses to be handed
 * that back. Up to 0.4.0 an address had its family beside it.
 */
export function convertResult(version: string, { ips, ...rest }: PluginResult): PluginResult {
  return { ...rest, cniVersion: version, ips: ips.map(({ version: _family, ...ip }) => ip) };
}

/** CHECK came with 0.4.0, GC and STATUS with 1.1.0. */
export function isVerbSupported(version: string, verb: CniVerb): boolean {
  const since = verb === "CHECK" ? [0, 4] : verb === "GC" || verb === "STATUS" ? [1, 1] : [0, 0];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > (since[0] ?? 0) || (major === since[0] && minor >= (since[1] ?? 0));
}

function buildPluginEnvironment(
  verb: CniVerb,
  attachment: CniAttachment | undefined,
): Readonly<Record<string, string>> {
  const common = { CNI_COMMAND: verb, CNI_PATH: BINARIES };
  if (attachment === undefined) return common;
  const { container, netns, namespace, pod, uid } = attachment;
  const pairs = {
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
    CNI_ARGS: Object.entries(pairs)
      .map(([key, value]) => `${key}=${value}`)
      .join(";"),
  };
}

function parsePluginError(stdout: string, stderr: string): string {
  try {
    const { msg, details } = failure.parse(JSON.parse(stdout));
    return details === undefined || details === "" ? msg : `${msg}; ${details}`;
  } catch {
    return (stderr || stdout).trim().slice(-400) || "it ended without a word";
  }
}
