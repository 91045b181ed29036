import type { Progress } from "../progress.ts";
import { run, runOrThrow } from "./command.ts";
import { timed } from "./timed.ts";

const APT_ENV = { DEBIAN_FRONTEND: "noninteractive" } as const;

/** Installs what is missing of these Debian packages, saying so first. Not root: one sentence with the remedy. */
export async function ensureDebianPackages(names: readonly string[], progress: Progress): Promise<void> {
  if (names.length === 0) return;
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0)
    throw new Error(`Debian packages are missing and only root can install them: run \`sudo ${command}\`.`);
  await timed(progress, `install Debian packages: ${missing.join(" ")}`, async (step) => {
    step.update("apt-get update");
    await runOrThrow(["apt-get", "update", "-qq"], { env: APT_ENV });
    await runOrThrow(
      // The services of docker.io and etcd-server must not start by themselves: each cluster starts its own.
      [
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confdef",
        ...missing,
      ],
      {
        env: { ...APT_ENV, RUNLEVEL: "1" },
        onLine: (line) => {
          step.update(line);
        },
      },
    );
  });
}

async function missingPackages(names: readonly string[]): Promise<readonly string[]> {
  const { stdout, exitCode } = await run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", ...names]);
  if (exitCode === 127)
    throw new Error(`This is no Debian machine (no dpkg-query); install by hand: ${names.join(", ")}.`);
  const installed = new Set(
    stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}
