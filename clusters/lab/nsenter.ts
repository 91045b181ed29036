/** Ways into a lab, as argv: nsenter is part of util-linux, and every one of these ends in an exec, so a pid stays. */

/** Namespaces of a machine's or a container's process: mount, network, host name, root directory. */
const ALL = ["--mount", "--net", "--uts", "--root", "--wd"] as const;

/** From inside the lab's process namespace: on a machine, or in a running container. @param pid of its first process */
export function buildMachineCommand(pid: number, argv: readonly string[]): readonly string[] {
  return ["nsenter", "--target", String(pid), ...ALL, "--", ...argv];
}

/**
 * From this computer: first into the lab's process namespace, whose pids the state file has; with its root directory, for
 * who started it may be in a chroot. @param init its process 1
 */
export function buildLabCommand(init: number, pid: number, argv: readonly string[]): readonly string[] {
  return [
    "nsenter",
    "--target",
    String(init),
    "--pid",
    "--mount",
    "--root",
    "--wd",
    "--",
    ...buildMachineCommand(pid, argv),
  ];
}

/** On a machine, in a pod's network namespace. */
export function buildPodCommand(
  machine: number,
  netns: string | undefined,
  argv: readonly string[],
): readonly string[] {
  return buildMachineCommand(machine, netns === undefined ? argv : ["nsenter", `--net=${netns}`, "--", ...argv]);
}

export interface Mount {
  /** What to make of the source if it is not there. */
  readonly kind: "dir" | "file" | "none";
  readonly source: string;
  readonly target: string;
}

/** A container: mounts and host name of its own, the files of its machine. */
export function buildContainerCommand(
  hostname: string,
  mounts: readonly Mount[],
  argv: readonly string[],
): readonly string[] {
  const triples = [...mounts]
    .sort((a, b) => a.target.length - b.target.length)
    .flatMap(({ kind, source, target }) => [kind, source, target]);
  return [
    ...["unshare", "--mount", "--uts", "--propagation", "slave", "--"],
    ...["/programs/lab/container", hostname, ...triples, "--", ...argv],
  ];
}
