import { join } from "node:path";
import { getAttachmentsDirectory } from "../state/attachment.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";
import { assertNoLink } from "../state/own-files.ts";
import { CniError, CODE } from "./error.ts";
import { LOG_FILE } from "./call-log.ts";

/** Files and directories on a node that a call of the plugin reads and writes. */
export interface Paths {
  readonly state: string;
  readonly facts: string;
  readonly attachments: string;
  readonly log: string;
}

/**
 * Environment variables of the container runtime that move the plugin's files. A network configuration must not move them:
 * a user who may create a NetworkAttachmentDefinition in one namespace could make root write to any file of the node.
 */
export const PATH_VARIABLES = {
  stateDirectory: "INTERLAY_STATE_DIRECTORY",
  logFile: "INTERLAY_LOG_FILE",
} as const;

/** Builds the plugin's paths from a state directory and a log file. */
export function buildPaths(stateDirectory = STATE_DIRECTORY, logFile = LOG_FILE): Paths {
  return {
    state: stateDirectory,
    facts: join(stateDirectory, "facts.json"),
    attachments: getAttachmentsDirectory(stateDirectory),
    log: logFile,
  };
}

/**
 * Reads the plugin's paths from the environment.
 * @throws CniError 4 if a path is not absolute
 * @throws UnsafePathError if the state directory is a symbolic link
 */
export function readPluginPaths(env: Readonly<Record<string, string | undefined>>): Paths {
  const paths = buildPaths(readPath(env, PATH_VARIABLES.stateDirectory), readPath(env, PATH_VARIABLES.logFile));
  assertNoLink(paths.state);
  return paths;
}

function readPath(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  if (value.startsWith("/")) return value;
  throw new CniError(
    CODE.invalidEnvironment,
    `invalid ${name} "${value}": not an absolute path`,
    "Correct it in the environment of the container runtime.",
  );
}
