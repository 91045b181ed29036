import ipaddr from "ipaddr.js";
import { hashContent } from "../components/cache.ts";

/** Paths of the private Docker daemon. All except the runtime directory are in one directory of the cache. */
export interface DaemonPaths {
  readonly directory: string;
  /** Images and containers. */
  readonly data: string;
  /** Sockets and mounts of the running daemon. Not in the cache, because paths of containerd's sockets have at most 104 bytes. */
  readonly runtimeDirectory: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly configFile: string;
  readonly logFile: string;
}

/** Returns the paths of the daemon whose files are in a cache. */
export function getDaemonPaths(cacheRoot: string): DaemonPaths {
  const directory = `${cacheRoot}/engine`;
  return {
    directory,
    data: `${directory}/data`,
    runtimeDirectory: `/run/interlay-engine-${hashContent(cacheRoot).slice(0, 8)}`,
    socket: `${directory}/docker.sock`,
    pidFile: `${directory}/docker.pid`,
    configFile: `${directory}/daemon.json`,
    logFile: `${directory}/dockerd.log`,
  };
}

/** Maximum length of a Unix socket's path in bytes (unix(7)). */
export const SOCKET_PATH_MAX = 107;

interface DaemonOptions {
  /** Path of the OCI runtime wrapper; undefined: runc can start privileged containers. */
  readonly runtime: string | undefined;
  /** Address of docker0 in CIDR notation. */
  readonly bridge: string;
}

/** Returns the content of daemon.json. */
export function renderDaemonConfig(paths: DaemonPaths, { runtime, bridge }: DaemonOptions): string {
  return JSON.stringify(
    {
      hosts: [`unix://${paths.socket}`],
      "data-root": paths.data,
      "exec-root": paths.runtimeDirectory,
      pidfile: paths.pidFile,
      "storage-driver": "overlay2",
      // If a containerd runs on the machine, dockerd uses that one; another Docker has the namespace "moby" in it.
      "containerd-namespace": "interlay",
      bip: bridge,
      "log-opts": { "max-size": "10m" },
      ...(runtime === undefined ? {} : { runtimes: { interlay: { path: runtime } }, "default-runtime": "interlay" }),
    },
    null,
    2,
  );
}

/** Candidates that overlap neither the suite's ranges nor Docker's defaults. */
const BRIDGES = ["172.29.255.1/24", "192.168.255.1/24", "10.254.255.1/24", "100.127.255.1/24"];

/**
 * Returns the first bridge address whose network does not overlap a network of this machine.
 *
 * @param taken IPv4 addresses of the machine's links in CIDR notation
 * @throws if all overlap
 */
export function findFreeBridge(taken: readonly string[]): string {
  const networks = taken.map((cidr) => ipaddr.IPv4.parseCIDR(cidr));
  const freeBridge = BRIDGES.find((bridge) => {
    const [address, length] = ipaddr.IPv4.parseCIDR(bridge);
    return !networks.some(([network, networkLength]) => address.match(network, Math.min(length, networkLength)));
  });
  if (freeBridge === undefined)
    throw new Error(
      `This machine's networks overlap all candidates for Docker's bridge (${BRIDGES.join(", ")}): start Docker manually.`,
    );
  return freeBridge;
}
