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
  /** Directory of the facts and records. */
  readonly stateDirectory: string;
  /** Directory of the agent's sockets. */
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
 * Creates the agent's directories, readable for root only: the kubelet creates directories of volumes readable for all users.
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
