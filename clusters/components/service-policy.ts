import { access, rm, writeFile } from "node:fs/promises";

const POLICY = "/usr/sbin/policy-rc.d";
const SYSTEMD = "/run/systemd/system";

/**
 * Runs `work`, in which packages are installed, so that their services do not start (invoke-rc.d(8): exit 101 is "action
 * forbidden"). Else docker.io's own daemon would come up, unconfigured, on machines without systemd: containers, mostly.
 * Where systemd runs, a daemon that it started is as good as any. A policy that is there already stands.
 */
export async function runWithoutServices<T>(work: () => Promise<T>): Promise<T> {
  if ((await exists(SYSTEMD)) || (await exists(POLICY))) return work();
  await writeFile(POLICY, "#!/bin/sh\n# of interlay, while it installs packages\nexit 101\n", {
    mode: 0o755,
    flag: "wx",
  });
  try {
    return await work();
  } finally {
    await rm(POLICY, { force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
