import { join } from "node:path";
import { LOG_FILE } from "../../cni/log.ts";
import { buildPaths, type Paths } from "../../cni/paths.ts";
import { STATE_DIRECTORY } from "../../datapath/facts.ts";

/** Where Interlay has something on a node. */
export interface NodePlaces {
  /** The runtime's plugins. */
  readonly binDirectory: string;
  /** Facts and records. */
  readonly stateDirectory: string;
  /** The agent's sockets. */
  readonly runDirectory: string;
  readonly logDirectory: string;
}

/** The DaemonSet's. */
export const NODE_PLACES: NodePlaces = {
  binDirectory: "/host/opt/cni/bin",
  stateDirectory: STATE_DIRECTORY,
  runDirectory: "/run/interlay",
  logDirectory: join(LOG_FILE, ".."),
};

/** The same in the plugin's words. */
export function pluginPlaces({ stateDirectory, logDirectory }: NodePlaces): Paths {
  return buildPaths(stateDirectory, join(logDirectory, "cni.log"));
}
