import { join } from "node:path";
import { LOG_FILE } from "../../cni/call-log.ts";
import { buildPaths, type Paths } from "../../cni/plugin-paths.ts";
import { STATE_DIRECTORY } from "../../datapath/facts.ts";

/** Interlay's directories on a node. */
export interface NodePaths {
  /** The runtime's plugin directory. */
  readonly binDirectory: string;
  /** Facts and records. */
  readonly stateDirectory: string;
  /** The agent's sockets. */
  readonly runDirectory: string;
  readonly logDirectory: string;
}

/** The paths in the DaemonSet's container. */
export const DEFAULT_NODE_PATHS: NodePaths = {
  binDirectory: "/host/opt/cni/bin",
  stateDirectory: STATE_DIRECTORY,
  runDirectory: "/run/interlay",
  logDirectory: join(LOG_FILE, ".."),
};

/** Builds the plugin's paths from the node's. */
export function buildPluginPaths({ stateDirectory, logDirectory }: NodePaths): Paths {
  return buildPaths(stateDirectory, join(logDirectory, "cni.log"));
}
