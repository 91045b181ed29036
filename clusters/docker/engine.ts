import { getCacheRoot } from "../components/cache.ts";
import { type CommandOptions, type CommandResult, isInstalled, runCommand } from "../components/run-command.ts";
import { withLock } from "../components/lock.ts";
import { ensureDebianPackages } from "../components/packages.ts";
import { runTimed } from "../components/timed.ts";
import type { Progress } from "../progress/progress.ts";
import { getDaemonPaths } from "./daemon-config.ts";
import { findDaemonPid, startDockerDaemon, stopDockerDaemon } from "./private-daemon.ts";

/** A running Docker daemon. */
export interface DockerEngine {
  /** `unix:///…` */
  readonly host: string;
  /** Whether the suite has started it; `npm run down -- --all` stops it. */
  readonly private: boolean;
  /** Variables for programs that use the daemon (docker, kind, testcontainers). */
  readonly env: Readonly<Record<string, string>>;
  docker(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** Debian package by program. */
const PACKAGES = {
  docker: "docker.io",
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
};
/** Limits the wait for a daemon of another machine (DOCKER_HOST=tcp://…) that does not answer. */
const ANSWER_TIMEOUT_MS = 5000;

/** Returns the running daemon, or starts a private one. @throws if no daemon runs and none can be started */
export async function ensureEngine(progress: Progress): Promise<DockerEngine> {
  const running = await findRunningEngine();
  if (running !== undefined) return running;
  const givenHost = getGivenHost();
  const paths = getDaemonPaths(getCacheRoot());
  const host = `unix://${paths.socket}`;
  if (process.getuid?.() !== 0)
    throw new Error(
      `No Docker daemon answers at ${givenHost}, and only root can start one: start Docker, or run as root.`,
    );
  if (process.env["DOCKER_HOST"] !== undefined)
    progress.note(`DOCKER_HOST=${givenHost} does not answer: a private daemon is used`);
  if (await installDocker(progress)) {
    const installed = await findRunningEngine(); // systemd may have started it
    if (installed !== undefined) return installed;
  }
  await withLock(
    `${paths.directory}.lock`,
    (owner) => {
      progress.note(`process ${owner} is starting Docker; waiting for it`);
    },
    async () => {
      if (await isAnswering(host)) return;
      await runTimed(progress, "start a private Docker daemon", () =>
        startDockerDaemon(paths, () => isAnswering(host)),
      );
    },
  );
  return createEngine(host, true);
}

/** Installs the programs of a Docker daemon. @returns whether some were missing */
export async function installDocker(progress: Progress): Promise<boolean> {
  const missing = await Promise.all(
    Object.entries(PACKAGES).map(async ([program, name]) => ((await isInstalled(program)) ? [] : [name])),
  );
  await ensureDebianPackages([...new Set(missing.flat())], progress);
  return missing.flat().length > 0;
}

/** Returns the running daemon, that of DOCKER_HOST or else the private one; undefined if neither answers. */
export async function findRunningEngine(): Promise<DockerEngine | undefined> {
  if (await isAnswering(getGivenHost())) return createEngine(getGivenHost(), false);
  const host = `unix://${getDaemonPaths(getCacheRoot()).socket}`;
  return (await isAnswering(host)) ? createEngine(host, true) : undefined;
}

/** Stops the private daemon and its containers, if it runs. Its images stay in the cache. */
export async function stopPrivateEngine(progress: Progress): Promise<void> {
  const paths = getDaemonPaths(getCacheRoot());
  const pid = await findDaemonPid(paths);
  if (pid !== undefined) await runTimed(progress, "stop the private Docker daemon", () => stopDockerDaemon(paths, pid));
}

const getGivenHost = (): string => process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";

async function isAnswering(host: string): Promise<boolean> {
  const argv = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"];
  return (await runCommand(argv, { timeoutMs: ANSWER_TIMEOUT_MS })).exitCode === 0;
}

function createEngine(host: string, isPrivate: boolean): DockerEngine {
  const env = { DOCKER_HOST: host, DOCKER_BUILDKIT: "0" };
  return {
    host,
    private: isPrivate,
    env,
    docker: (argv, options) => runCommand(["docker", ...argv], { ...options, env: { ...options?.env, ...env } }),
  };
}
