/**
 * Builds the commands that enter a lab's namespaces, with nsenter and unshare of util-linux. Each of them ends in an exec, so
 * the program has the process id of the command.
 */

/** Namespaces of a machine's or a container's process: mount, network and host name; and its root directory. */
const MACHINE_FLAGS = ["--mount", "--net", "--uts", "--root", "--wd"] as const;

/**
 * Returns a command that runs on a machine or in a running container, from the lab's process namespace.
 *
 * @param pid first process of the machine or container
 */
export function buildMachineCommand(pid: number, argv: readonly string[]): readonly string[] {
  return ["nsenter", "--target", String(pid), ...MACHINE_FLAGS, "--", ...argv];
}

/**
 * Returns a command that runs on a machine or in a running container, from the host. It enters the lab's process namespace
 * first, because the state file has the process ids of that namespace.
 *
 * @param init first process of the lab
 * @param pid first process of the machine or container
 */
export function buildLabCommand(init: number, pid: number, argv: readonly string[]): readonly string[] {
  const labFlags = ["--pid", "--mount", "--root", "--wd"];
  return ["nsenter", "--target", String(init), ...labFlags, "--", ...buildMachineCommand(pid, argv)];
}

/**
 * Returns a command that runs in a pod's network namespace on a machine, from the lab's process namespace.
 *
 * @param netns path on the machine; undefined: the machine's own network
 */
export function buildPodCommand(
  machine: number,
  netns: string | undefined,
  argv: readonly string[],
): readonly string[] {
  return buildMachineCommand(machine, netns === undefined ? argv : ["nsenter", `--net=${netns}`, "--", ...argv]);
}

/** A bind mount of a container. */
export interface Mount {
  /** Kind of file to create if the source does not exist. */
  readonly kind: "dir" | "file" | "none";
  readonly source: string;
  readonly target: string;
}

/** Returns a command that runs on a machine as a container: with its own mounts and host name. */
export function buildContainerCommand(
  hostname: string,
  mounts: readonly Mount[],
  argv: readonly string[],
): readonly string[] {
  const mountArguments = mounts
    .toSorted((a, b) => a.target.length - b.target.length)
    .flatMap(({ kind, source, target }) => [kind, source, target]);
  const unshare = ["unshare", "--mount", "--uts", "--propagation", "slave", "--"];
  return [...unshare, "/programs/lab/container", hostname, ...mountArguments, "--", ...argv];
}
