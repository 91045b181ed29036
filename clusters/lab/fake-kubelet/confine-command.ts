import type { V1Container } from "@kubernetes/client-node";

/** /proc/sys is read-only in a container that is not privileged. */
const CONFINE =
  'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec setpriv --bounding-set "$0" --inh-caps=-all "$@"';

/**
 * Returns a command that runs with the capabilities of its container, if the container drops all others. User, seccomp profile and root
 * file system are the machine's: only kind has those.
 */
export function confineCommand({ securityContext }: V1Container, argv: readonly string[]): readonly string[] {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  if (!drop.includes("ALL")) return argv;
  const bounding = ["-all", ...add.map((name) => `+${name.toLowerCase()}`)].join(",");
  return ["sh", "-c", CONFINE, bounding, ...argv];
}
