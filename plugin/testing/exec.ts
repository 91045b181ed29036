import { spawnSync } from "node:child_process";

/** Runs a program and returns its output. @throws with the program's error output */
export function execLocally(argv: readonly string[], input = ""): string {
  const [file = "", ...args] = argv;
  const { status, stdout, stderr, error } = spawnSync(file, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`\`${argv.join(" ")}\` ended with ${String(status)}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Runs `ip`. */
export const runIp = (...argv: readonly string[]): string => execLocally(["ip", ...argv]);
/** Runs a program in a network namespace. */
export const execInNetns = (namespace: string, ...argv: readonly string[]): string =>
  execLocally(["ip", "netns", "exec", namespace, ...argv]);

/**
 * Returns true if one of three pings is answered. The kernel starts the queue of a new link some time after the link is up, so that the
 * first packet may be lost on a busy machine.
 */
export function pingAddress(from: string, to: string, source?: string): boolean {
  const by = source === undefined ? [] : ["-I", source];
  const argv = ["netns", "exec", from, "ping", "-n", "-q", "-c", "1", "-W", "1", ...by, to];
  return [1, 2, 3].some(() => spawnSync("ip", argv).status === 0);
}
