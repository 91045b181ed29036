import { join } from "node:path";
import { PATH_VARIABLES } from "../cni/plugin-paths.ts";

/** `interlay` is the full plugin, run standalone; `launcher` is the program that a runtime starts, which uses the node's agent if it runs. */
export type PluginName = "interlay" | "launcher" | "faulty" | "macvlan" | "ptp" | "bridge" | "ipvlan";

/** Result of a plugin call. */
export interface CallResult {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Program, environment and stdin of a plugin call. */
export interface Invocation {
  readonly executable: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
}

/** A node of a test network. */
export interface TestNode {
  readonly name: string;
  readonly address: string;
  readonly stateDirectory: string;
  /** The agent's run directory, with the socket for the launcher. */
  readonly runDirectory: string;
  readonly socket: string;
  /** Directory in which its agent installs the plugins. */
  readonly binDirectory: string;
}

/** A pod of a test network. */
export interface TestPod {
  readonly namespace: string;
  readonly netns: string;
  readonly containerId: string;
}

/** Paths of the executables, from the environment. */
export interface Plugins {
  /** The full plugin (`interlay-full`), in the launcher's directory. */
  readonly interlay: string;
  readonly launcher: string;
  /** The full plugin with fault injection (fault-injection.ts). */
  readonly faulty: string;
  /** Directory of the reference plugins. */
  readonly reference: string;
}

/** A plugin call: its arguments in the order of the runtime's variables. */
export type CallArguments = [
  plugin: PluginName,
  command: string,
  node: TestNode,
  pod: TestPod,
  ifname: string,
  config: Readonly<Record<string, unknown>>,
  fault?: string,
];

/** Builds a plugin call as a runtime makes it, for the node's namespace. */
export function buildInvocation(
  plugins: Plugins,
  ...[plugin, command, node, pod, ifname, config, fault]: CallArguments
): Invocation {
  const isInterlay = plugin === "interlay" || plugin === "launcher" || plugin === "faulty";
  return {
    executable: isInterlay ? plugins[plugin] : join(plugins.reference, plugin),
    env: {
      PATH: process.env["PATH"],
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod.containerId,
      CNI_NETNS: pod.netns,
      CNI_IFNAME: ifname,
      CNI_PATH: plugins.reference,
      ...(plugin === "launcher" ? { INTERLAY_CNI_SOCKET: node.socket } : {}),
      ...(fault === undefined ? {} : { INTERLAY_FAULT: fault }),
      ...(isInterlay ? buildPathVariables(node) : {}),
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=${pod.namespace};K8S_POD_UID=1`,
    },
    input: JSON.stringify({
      cniVersion: "1.0.0",
      name: "underlay",
      type: isInterlay ? "interlay" : plugin,
      ...config,
    }),
  };
}

/** Environment that sets the paths of a node's plugin. */
export function buildPathVariables({
  stateDirectory,
}: Pick<TestNode, "stateDirectory">): Readonly<Record<string, string>> {
  return {
    [PATH_VARIABLES.stateDirectory]: stateDirectory,
    [PATH_VARIABLES.logFile]: join(stateDirectory, "cni.log"),
  };
}

/** Reads the paths of the executables from the environment, which scripts/test-netns.ts sets. */
export function readPluginsFromEnvironment(): Plugins {
  const env = process.env;
  const { INTERLAY_EXECUTABLE: interlay, INTERLAY_LAUNCHER: launcher, INTERLAY_FAULTY: faulty } = env;
  const reference = env["INTERLAY_CNI_PLUGINS"];
  if (interlay === undefined || launcher === undefined || faulty === undefined || reference === undefined)
    throw new Error("run these tests by `npm run test:netns`: it builds and finds the plugins");
  return { interlay, launcher, faulty, reference };
}
