import type { V1Container } from "@kubernetes/client-node";

/** Shell command that makes /proc/sys read-only, as in a container that is not privileged, and drops capabilities. */
const CONFINE =
  'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec setpriv --bounding-set "$0" --inh-caps=-all "$@"';

/**
 * Returns a command that runs with the capabilities of its container, if the container drops all others. User, seccomp profile and root
 * file system are those of the machine: only kind applies the container's.
 */
export function confineCommand({ securityContext }: V1Container, argv: readonly string[]): readonly string[] {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  if (!drop.includes("ALL")) return argv;
  const bounding = ["-all", ...add.map((name) => `+${name.toLowerCase()}`)].join(",");
  return ["sh", "-c", CONFINE, bounding, ...argv];
}
