import { rm, writeFile } from "node:fs/promises";
import { pathExists } from "./path-exists.ts";

const POLICY = "/usr/sbin/policy-rc.d";
const SYSTEMD = "/run/systemd/system";

/**
 * Runs work that installs packages without starting their services (invoke-rc.d(8): exit code 101 means "action forbidden").
 * Otherwise docker.io would start an unconfigured daemon in containers and on other machines without systemd. Does not apply
 * where systemd runs, and keeps an existing policy.
 */
export async function runWithoutServices<T>(work: () => Promise<T>): Promise<T> {
  if ((await pathExists(SYSTEMD)) || (await pathExists(POLICY))) return work();
  await writeFile(POLICY, "#!/bin/sh\n# written by interlay while it installs packages\nexit 101\n", {
    mode: 0o755,
    flag: "wx",
  });
  try {
    return await work();
  } finally {
    await rm(POLICY, { force: true });
  }
}
