import { chmodSync } from "node:fs";
import { join } from "node:path";
import { LOG_FILE } from "../../cni/call-log.ts";
import { buildPaths, type Paths } from "../../cni/plugin-paths.ts";
import { STATE_DIRECTORY } from "../../datapath/facts.ts";
import { createOwnDirectory } from "../../state/own-files.ts";

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

/**
 * Creates the agent's own directories. kubelet creates those of volumes for all users to read.
 * @throws UnsafePathError if one is a symbolic link
 */
export function createNodeDirectories({ stateDirectory, runDirectory, logDirectory }: NodePaths): void {
  for (const directory of [stateDirectory, runDirectory, logDirectory]) {
    createOwnDirectory(directory);
    chmodSync(directory, 0o700);
  }
}

/** Builds the plugin's paths from the node's. */
export function buildPluginPaths({ stateDirectory, logDirectory }: NodePaths): Paths {
  return buildPaths(stateDirectory, join(logDirectory, "cni.log"));
}
