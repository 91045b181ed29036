import { spawn } from "node:child_process";
import { mkdir, open, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compileBun } from "../../plugin/deploy/compile.ts";
import { runCommand } from "../components/run-command.ts";
import { raiseContainerWeight } from "./container-weight.ts";
import { renderDaemonConfig, type DaemonPaths, findFreeBridge, SOCKET_PATH_MAX } from "./daemon-config.ts";
import { findMissingCapabilities } from "./runtime/oci-spec.ts";

const START_TIMEOUT_MS = 60_000;
/** Longer than dockerd waits for its containers (15 s); then it is killed. */
const STOP_TIMEOUT_MS = 45_000;
/** f_type of overlayfs in statfs(2): Docker cannot stack an overlay on it. */
const OVERLAYFS_MAGIC = 0x794c7630;

/**
 * Starts dockerd, which outlives this process, and waits until it answers. Root only.
 * @param isAnswering tests whether the daemon answers
 * @throws if the paths are not usable, or the daemon does not answer in time
 */
export async function startDockerDaemon(paths: DaemonPaths, isAnswering: () => Promise<boolean>): Promise<void> {
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await assertPathsUsable(paths);
  const missing = findMissingCapabilities(await readFile("/proc/self/status", "utf8"));
  const runtime = missing.size === 0 ? undefined : await buildRuntime(paths);
  await raiseContainerWeight();
  const bridge = findFreeBridge(listMachineNetworks());
  await writeFile(paths.configFile, renderDaemonConfig(paths, { runtime, bridge }), { mode: 0o600 });
  await rm(paths.pidFile, { force: true }); // dockerd rejects an old pid file whose number belongs to another process
  const log = await open(paths.logFile, "w", 0o600);
  const child = spawn("dockerd", ["--config-file", paths.configFile], {
    argv0: "dockerd",
    detached: true,
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => {
      resolve(error.message);
    });
    child.on("exit", (code) => {
      resolve(`exit code ${String(code)}`);
    });
  });
  child.unref();
  await log.close();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isAnswering())) {
    const end = await Promise.race([ended, sleep(200)]);
    if (end === undefined && Date.now() < deadline) continue;
    child.kill("SIGTERM");
    const lines = (await readFile(paths.logFile, "utf8")).trim().split("\n").slice(-5).join("\n");
    throw new Error(`The private Docker daemon did not start (${end ?? "no answer"}); see ${paths.logFile}:\n${lines}`);
  }
}

/** Returns the pid of the private daemon; undefined if it does not run: an old pid file may have another process's number. */
export async function findDaemonPid(paths: DaemonPaths): Promise<number | undefined> {
  const pid = Number(await readFile(paths.pidFile, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  return argv[0] === "dockerd" && argv.includes(paths.configFile) ? pid : undefined;
}

/** Stops the daemon and its containers. */
export async function stopDockerDaemon(paths: DaemonPaths, pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while ((await findDaemonPid(paths)) === pid || (await isRunning(pid))) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await sleep(100);
  }
  await unmountRemains(paths);
  const files = [paths.socket, paths.pidFile, paths.runtimeDirectory];
  await Promise.all(files.map((path) => rm(path, { recursive: true, force: true })));
}

/**
 * Unmounts what dockerd leaves mounted. Without shared mounts it mounts its data directory on itself, and leaves that mount
 * in a container or chroot (moby, daemon/daemon_linux.go: shouldUnmountRoot). Containers in the network of this computer
 * leave a mount of it in the runtime directory.
 */
async function unmountRemains({ data, runtimeDirectory }: DaemonPaths): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4] ?? "");
  const remaining = mounts.filter((path) => path === data || path.startsWith(`${runtimeDirectory}/`));
  if (remaining.length > 0) await runCommand(["umount", ...remaining.toReversed()]);
}

/** Whether the process is a dockerd. It removes its pid file before it ends. */
async function isRunning(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).startsWith("dockerd\0");
}

async function assertPathsUsable(paths: DaemonPaths): Promise<void> {
  if (Buffer.byteLength(paths.socket) > SOCKET_PATH_MAX)
    throw new Error(`The socket path ${paths.socket} is too long: set INTERLAY_CACHE to a shorter path.`);
  if ((await statfs(paths.directory)).type === OVERLAYFS_MAGIC)
    throw new Error(
      `${paths.directory} is on an overlay filesystem, on which Docker cannot keep images: set INTERLAY_CACHE to a directory on a disk (ext4, xfs).`,
    );
}

function listMachineNetworks(): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses]) =>
    link === "docker0" // of an earlier daemon; the private one uses it
      ? []
      : (addresses ?? []).flatMap(({ family, cidr }) => (family === "IPv4" && cidr !== null ? [cidr] : [])),
  );
}

function buildRuntime(paths: DaemonPaths): Promise<string> {
  const source = join(import.meta.dirname, "runtime");
  return compileBun({ entry: join(source, "main.ts"), sources: [source], output: join(paths.directory, "runtime") });
}
