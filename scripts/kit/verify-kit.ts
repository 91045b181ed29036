import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import { waitForExit } from "../../clusters/shell.ts";
import { KIT_DIRECTORY, CHECKSUMS_FILE } from "./pack.ts";

/**
 * Shell script that runs e2e with the arguments $@. The shell is process 1 of its PID namespace: when it exits, the kernel kills
 * all other processes of the namespace, such as Docker.
 */
const SCRIPT = [
  "ip link set lo up && ip route",
  'npm run e2e -- "$@" && status=0 || status=$?',
  "npm run down -- --all",
  "exit $status",
].join("\n");

/** Command that runs another one in new namespaces for network (with only a loopback link), processes and mounts. */
const NAMESPACES = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "--"];

/**
 * Unpacks a kit and runs the suite from it: in a network namespace without a route, with an empty home directory, without the
 * environment of this process, and without this machine's Docker.
 *
 * @param archive path of the kit
 * @param parent directory in which the kit is unpacked, and from which it is removed afterwards
 * @param flags arguments of e2e
 * @returns the exit status of the suite
 * @throws if a checksum is wrong
 */
export async function verifyKit(
  archive: string,
  parent: string,
  flags: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  const directory = await mkdtemp(join(parent, "k-")); // short: the path of Docker's socket has at most 107 bytes
  try {
    await $`tar --extract --file ${archive} --directory ${directory}`;
    const kit = join(directory, KIT_DIRECTORY);
    await $({ cwd: kit })`sha256sum --check --quiet ${CHECKSUMS_FILE}`;
    print("all checksums are correct");
    const home = join(directory, "home");
    await mkdir(home);
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      DOCKER_HOST: `unix://${join(directory, "none.sock")}`,
    };
    const options = { cwd: kit, env, nothrow: true, detached: true, stdio: ["ignore", "inherit", "inherit"] as const };
    return await waitForExit($({ ...options, stdio: [...options.stdio] })`${NAMESPACES} sh -c ${SCRIPT} kit ${flags}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
