import type { Progress } from "../progress/progress.ts";
import { runCommand } from "./run-command.ts";
import { runWithoutServices } from "./service-policy.ts";
import { runTimed } from "./timed.ts";

const APT_ENV = { DEBIAN_FRONTEND: "noninteractive" } as const;

/** Lets apt wait up to 600 s for another apt or dpkg, like unattended upgrades or a second run of the suite. */
const APT_LOCK_TIMEOUT = "DPkg::Lock::Timeout=600";

/** The machine on which packages are installed. Tests replace it. */
interface Machine {
  readonly run: typeof runCommand;
  readonly isRoot: boolean;
  readonly withoutServices: typeof runWithoutServices;
}

const THIS_MACHINE: Machine = {
  run: runCommand,
  isRoot: process.getuid?.() === 0,
  withoutServices: runWithoutServices,
};

/**
 * Installs the missing Debian packages, as a step of the progress.
 * @throws if this user is not root; the message has the command for root
 */
export async function ensureDebianPackages(
  names: readonly string[],
  progress: Progress,
  machine: Machine = THIS_MACHINE,
): Promise<void> {
  if (names.length === 0) return;
  const missing = await findMissingPackages(names, machine);
  if (missing.length === 0) return;
  if (!machine.isRoot)
    throw new Error(
      `Debian packages are missing, and only root can install them: run \`sudo apt-get install --no-install-recommends ${missing.join(" ")}\`.`,
    );
  await runTimed(progress, `install Debian packages: ${missing.join(" ")}`, async (step) => {
    const apt = async (...argv: readonly string[]) => {
      const { exitCode, stdout, stderr } = await machine.run(["apt-get", "-qq", "-o", APT_LOCK_TIMEOUT, ...argv], {
        env: APT_ENV,
        onLine: (line) => {
          step.update(line);
        },
      });
      if (exitCode !== 0)
        throw new Error(
          `\`apt-get ${argv.join(" ")}\` failed: ${(stderr || stdout).trim().split("\n").slice(-5).join("\n")}`,
        );
    };
    step.update("apt-get update");
    await apt("update");
    await machine.withoutServices(() =>
      apt("install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confdef", ...missing),
    );
  });
}

async function findMissingPackages(names: readonly string[], { run }: Machine): Promise<readonly string[]> {
  const { stdout, exitCode } = await run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", ...names]);
  if (exitCode === 127)
    throw new Error(
      `cannot install packages, this is not a Debian machine (dpkg-query is missing); install manually: ${names.join(", ")}.`,
    );
  const installed = new Set(
    stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}
