import { InvalidArgumentError } from "commander";
import type { InstallationOptions, UnderlayOptions } from "../../../../plugin/deploy/installation.ts";

/** Options of `interlay install` that decide the objects. */
export interface InstallFlags {
  readonly image?: string;
  readonly returnPath?: string;
  readonly cniBinDir?: string;
  readonly pullSecret: readonly string[];
  readonly subnet?: string;
  readonly range: readonly string[];
  readonly gateway?: string;
  readonly uplink?: string;
  readonly network: string;
}

/** Settings that the installation reads from the cluster unless an option sets them. */
export interface InstalledState {
  /** Image of the running agents; undefined: Interlay is not installed. */
  readonly image: string | undefined;
  readonly hasConfig: boolean;
  /** Plugin directory that was detected, or that the agents use. */
  readonly cniBinDirectory: string;
}

/**
 * Completes the options with the state of the cluster: an upgrade keeps the image, the settings and the plugin directory.
 * @throws an error for a missing image, and for a pool that is not complete
 */
export function completeOptions(
  flags: InstallFlags,
  installed: InstalledState,
): Omit<InstallationOptions, "admission"> {
  const image = flags.image ?? installed.image;
  if (image === undefined)
    throw new Error(
      "no image: name the one that your nodes pull with --image REFERENCE (npm run build -- --images builds it)",
    );
  const returnPath = flags.returnPath ?? (installed.hasConfig ? undefined : "auto");
  const underlay = parseUnderlay(flags);
  return {
    image,
    cniBinDirectory: flags.cniBinDir ?? installed.cniBinDirectory,
    pullSecrets: flags.pullSecret,
    ...(returnPath === undefined ? {} : { returnPath }),
    ...(underlay === undefined ? {} : { underlay }),
  };
}

function parseUnderlay({ subnet, range, gateway, uplink, network }: InstallFlags): UnderlayOptions | undefined {
  if (subnet === undefined && range.length === 0) {
    if (gateway !== undefined || uplink !== undefined)
      throw new Error("--gateway and --uplink describe a new pool: add --subnet and --range");
    return undefined;
  }
  if (subnet === undefined || range.length === 0)
    throw new Error("a pool needs both --subnet CIDR and --range (a CIDR or FIRST-LAST, also several times)");
  return {
    name: network,
    subnet,
    ranges: range,
    ...(gateway === undefined ? {} : { gateway }),
    ...(uplink === undefined ? {} : { uplink }),
  };
}

/** Collects the values of an option that may be given several times. */
export function collectValues(value: string, previous: readonly string[]): readonly string[] {
  if (value.trim() === "") throw new InvalidArgumentError("a value is needed.");
  return [...previous, value];
}
