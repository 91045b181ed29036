import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import { waitForExit } from "../../clusters/shell.ts";
import { KIT_DIRECTORY, CHECKSUMS_FILE } from "./pack.ts";

/** $@ is e2e's arguments. This shell is the first process there: when it ends, all that runs there does, Docker too. */
const SCRIPT = [
  "ip link set lo up && ip route",
  'npm run e2e -- "$@" && status=0 || status=$?',
  "npm run down -- --all",
  "exit $status",
].join("\n");

/** Of their own: network (nothing but a loopback), processes, mounts. */
const ALONE = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "--"];

/**
 * Unpacks a kit below `where` and runs the suite from it as on a machine of its own: in a network namespace without a route,
 * a home directory that is empty, no environment of ours, and no Docker of this machine's. Returns the suite's exit status.
 */
export async function verifyKit(
  archive: string,
  where: string,
  flags: readonly string[],
  say: (text: string) => void,
): Promise<number> {
  const room = await mkdtemp(join(where, "k-")); // short: a socket of Docker's has to fit into 107 bytes
  try {
    await $`tar --extract --file ${archive} --directory ${room}`;
    const kit = join(room, KIT_DIRECTORY);
    await $({ cwd: kit })`sha256sum --check --quiet ${CHECKSUMS_FILE}`;
    say("every file is as its checksum says");
    const home = join(room, "home");
    await mkdir(home);
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      DOCKER_HOST: `unix://${join(room, "none.sock")}`,
    };
    const options = { cwd: kit, env, nothrow: true, detached: true, stdio: ["ignore", "inherit", "inherit"] as const };
    return await waitForExit($({ ...options, stdio: [...options.stdio] })`${ALONE} sh -c ${SCRIPT} kit ${flags}`);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
