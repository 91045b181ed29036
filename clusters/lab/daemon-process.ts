import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../components/command.ts";
import type { LabFiles } from "./machines/machine-addresses.ts";

const HERE = import.meta.dirname;

/**
 * Starts a lab's daemon in process and mount namespaces of its own. When the holder is killed, the kernel kills the
 * namespace's process 1, and with it everything.
 */
export async function startDaemon(files: LabFiles): Promise<number> {
  const output = openSync(files.log, "w", 0o600);
  const child = spawn(
    "unshare",
    [
      ...["--pid", "--fork", "--kill-child=SIGKILL", "--mount", "--mount-proc", "--propagation", "private", "--"],
      ...[join(HERE, "files", "init"), process.execPath, "--no-warnings", join(HERE, "daemon.ts"), files.directory],
    ],
    { detached: true, stdio: ["ignore", output, output] },
  );
  child.unref();
  const pid = child.pid ?? 0;
  await writeFile(files.pid, String(pid), { mode: 0o600 });
  return pid;
}

/** The holder's process id, if this lab's holder runs: a number that another program has by now is none. */
export async function findRunningDaemon(files: LabFiles): Promise<number | undefined> {
  const pid = Number(await readFile(files.pid, "utf8").catch(() => "0"));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return line.split("\0").includes(files.directory) ? pid : undefined;
}

/** Ends the lab and waits until the last of its processes is gone. */
export async function stopDaemon(files: LabFiles): Promise<void> {
  const pid = await findRunningDaemon(files);
  if (pid === undefined) return;
  const init = await findInitProcess(pid).catch(() => undefined);
  process.kill(pid, "SIGKILL");
  for (const one of [init, pid]) while (one !== undefined && (await isRunning(one))) await sleep(10);
}

/** Process 1 of the lab, as this computer numbers it: the holder's only child. */
export async function findInitProcess(holder: number): Promise<number> {
  const { stdout } = await runCommand(["cat", `/proc/${holder}/task/${holder}/children`]);
  const init = Number(stdout.trim().split(" ")[0]);
  if (!Number.isInteger(init) || init <= 1)
    throw new Error("The lab's first process is gone: npm run down takes the rest away.");
  return init;
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/^\d+ \(.*\) [ZX]/.test(status);
}
