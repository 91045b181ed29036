/** Where the private Docker daemon lives: everything of it is in one directory of the cache. */
export interface DaemonPaths {
  readonly directory: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly configFile: string;
  readonly logFile: string;
}

export function daemonPaths(cacheRoot: string): DaemonPaths {
  const directory = `${cacheRoot}/engine`;
  return {
    directory,
    socket: `${directory}/docker.sock`,
    pidFile: `${directory}/docker.pid`,
    configFile: `${directory}/daemon.json`,
    logFile: `${directory}/dockerd.log`,
  };
}

/** A unix socket's path has room for 107 bytes (unix(7)). */
export const SOCKET_PATH_MAX = 107;

/** @param runtime the OCI runtime wrapper, where runc alone would refuse privileged containers */
export function daemonConfig(paths: DaemonPaths, runtime: string | undefined): string {
  return JSON.stringify(
    {
      hosts: [`unix://${paths.socket}`],
      "data-root": `${paths.directory}/data`,
      "exec-root": `${paths.directory}/exec`,
      pidfile: paths.pidFile,
      "storage-driver": "overlay2",
      // A range that is neither the underlay's, the overlay's nor the Services'.
      bip: "172.29.255.1/24",
      "log-opts": { "max-size": "10m" },
      ...(runtime === undefined ? {} : { runtimes: { interlay: { path: runtime } }, "default-runtime": "interlay" }),
    },
    null,
    2,
  );
}
