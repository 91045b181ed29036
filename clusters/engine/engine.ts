import { spawn } from "node:child_process";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compile } from "../../plugin/deploy/compile.ts";
import { cacheRoot } from "../components/cache.ts";
import { type CommandOptions, type CommandResult, run } from "../components/command.ts";
import { withLock } from "../components/lock.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { timed } from "../components/timed.ts";
import type { Progress } from "../progress.ts";
import { daemonConfig, type DaemonPaths, daemonPaths, SOCKET_PATH_MAX } from "./daemon-config.ts";
import { missingCapabilities } from "./runtime/spec.ts";

/** A Docker daemon that answers. */
export interface Engine {
  /** `unix:///…` */
  readonly host: string;
  /** Started by us, and stopped by `npm run down -- --all`. */
  readonly private: boolean;
  /** For programs that speak to it (docker, kind, testcontainers). */
  readonly env: Readonly<Record<string, string>>;
  docker(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

const PACKAGES = ["docker.io", "containerd", "runc", "iptables"];
const START_TIMEOUT_MS = 60_000;

/** The daemon that answers, else a private one, started now. Errors: neither is possible, in one sentence with the remedy. */
export async function ensureEngine(progress: Progress): Promise<Engine> {
  const given = process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
  if (await answers(given)) return engineAt(given, false);
  const paths = daemonPaths(cacheRoot());
  const host = `unix://${paths.socket}`;
  if (await answers(host)) return engineAt(host, true);
  if (process.getuid?.() !== 0)
    throw new Error(`No Docker daemon answers at ${given} and only root can start one: start Docker, or run as root.`);
  if (paths.socket.length > SOCKET_PATH_MAX)
    throw new Error(`${paths.socket} is too long for a socket: set INTERLAY_CACHE to a shorter path.`);
  await ensureDebianPackages(PACKAGES, progress);
  await withLock(
    `${paths.directory}.lock`,
    () => undefined,
    async () => {
      if (!(await answers(host))) await timed(progress, "start a private Docker daemon", () => start(paths, host));
    },
  );
  return engineAt(host, true);
}

/** Stops the private daemon, if there is one. What it stored stays in the cache. */
export async function stopPrivateEngine(progress: Progress): Promise<void> {
  const paths = daemonPaths(cacheRoot());
  const pid = Number(await readFile(paths.pidFile, "utf8").catch(() => ""));
  if (pid === 0 || !(await isOurs(pid))) return;
  await timed(progress, "stop the private Docker daemon", async () => {
    process.kill(pid, "SIGTERM");
    while (await isOurs(pid)) await sleep(200);
    await rm(paths.socket, { force: true });
  });
}

/** A pid file may be older than the process that has its number now. */
async function isOurs(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).startsWith("dockerd\0");
}

async function start(paths: DaemonPaths, host: string): Promise<void> {
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  const missing = missingCapabilities(await readFile("/proc/self/status", "utf8"));
  const runtime = missing.size === 0 ? undefined : await buildRuntime(paths);
  await writeFile(paths.configFile, daemonConfig(paths, runtime), { mode: 0o600 });
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
      resolve(`it ended with ${String(code)}`);
    });
  });
  child.unref();
  await log.close();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(host))) {
    const end = await Promise.race([ended, sleep(200)]);
    if (end === undefined && Date.now() < deadline) continue;
    const lines = (await readFile(paths.logFile, "utf8")).trim().split("\n").slice(-5).join("\n");
    throw new Error(`The private Docker daemon did not start (${end ?? "no answer"}); see ${paths.logFile}:\n${lines}`);
  }
}

function buildRuntime(paths: DaemonPaths): Promise<string> {
  const source = join(import.meta.dirname, "runtime");
  return compile({ entry: join(source, "main.ts"), sources: [source], output: join(paths.directory, "runtime") });
}

async function answers(host: string): Promise<boolean> {
  return (await run(["docker", "--host", host, "version", "--format", "{{.Server.Version}}"])).exitCode === 0;
}

function engineAt(host: string, isPrivate: boolean): Engine {
  const env = { DOCKER_HOST: host, DOCKER_BUILDKIT: "0" };
  return {
    host,
    private: isPrivate,
    env,
    docker: (argv, options) => run(["docker", ...argv], { ...options, env: { ...options?.env, ...env } }),
  };
}
