import ipaddr from "ipaddr.js";
import { hashContent } from "../components/cache.ts";

/** Where the private Docker daemon lives: all that it keeps is in one directory of the cache. */
export interface DaemonPaths {
  readonly directory: string;
  /** Images and containers. */
  readonly data: string;
  /** Of a daemon that runs (sockets, mounts); each cache has its own. Not in the cache: containerd's sockets may have 104 bytes. */
  readonly runtimeDirectory: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly configFile: string;
  readonly logFile: string;
}

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

/** A unix socket's path has room for 107 bytes (unix(7)). */
export const SOCKET_PATH_MAX = 107;

interface DaemonOptions {
  /** The OCI runtime wrapper, where runc alone would refuse privileged containers. */
  readonly runtime: string | undefined;
  /** docker0's address, CIDR notation. */
  readonly bridge: string;
}

export function renderDaemonConfig(paths: DaemonPaths, { runtime, bridge }: DaemonOptions): string {
  return JSON.stringify(
    {
      hosts: [`unix://${paths.socket}`],
      "data-root": paths.data,
      "exec-root": paths.runtimeDirectory,
      pidfile: paths.pidFile,
      "storage-driver": "overlay2",
      bip: bridge,
      "log-opts": { "max-size": "10m" },
      ...(runtime === undefined ? {} : { runtimes: { interlay: { path: runtime } }, "default-runtime": "interlay" }),
    },
    null,
    2,
  );
}

/** None of them is the underlay's, the overlay's, the Services' or what Docker takes by itself. */
const BRIDGES = ["172.29.255.1/24", "192.168.255.1/24", "10.254.255.1/24", "100.127.255.1/24"];

/**
 * The first of our bridge addresses whose network is none of this machine's.
 * @param taken IPv4 addresses of its links, CIDR notation
 */
export function findFreeBridge(taken: readonly string[]): string {
  const networks = taken.map((cidr) => ipaddr.IPv4.parseCIDR(cidr));
  const free = BRIDGES.find((bridge) => {
    const [address, length] = ipaddr.IPv4.parseCIDR(bridge);
    return !networks.some(([other, otherLength]) => address.match(other, Math.min(length, otherLength)));
  });
  if (free === undefined)
    throw new Error(
      `This machine's addresses leave no network for Docker's bridge of ${BRIDGES.join(", ")}: start Docker by hand.`,
    );
  return free;
}
