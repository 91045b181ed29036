import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../components/run-command.ts";
import type { LabFiles } from "./plan/lab-files.ts";

const LAB_DIRECTORY = import.meta.dirname;
const UNSHARE_FLAGS = [
  "--pid",
  "--fork",
  "--kill-child=SIGKILL",
  "--mount",
  "--mount-proc",
  "--propagation",
  "private",
];

/**
 * Starts a lab's daemon in new process and mount namespaces. When the starting program (the holder) is killed, the kernel
 * kills the first process of the namespace, and with it every process of the lab.
 *
 * @returns the holder's process id
 */
export async function startLabDaemon(files: LabFiles): Promise<number> {
  const output = openSync(files.log, "w", 0o600);
  const init = join(LAB_DIRECTORY, "files", "init");
  const daemon = [process.execPath, "--no-warnings", join(LAB_DIRECTORY, "daemon.ts"), files.directory];
  const child = spawn("unshare", [...UNSHARE_FLAGS, "--", init, ...daemon], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  child.unref();
  const pid = child.pid ?? 0;
  await writeFile(files.pid, String(pid), { mode: 0o600 });
  return pid;
}

/** Returns the holder's process id; undefined if it does not run: the id in the file may belong to another program now. */
export async function findRunningDaemon(files: LabFiles): Promise<number | undefined> {
  const pid = Number(await readFile(files.pid, "utf8").catch(() => "0"));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.split("\0").includes(files.directory) ? pid : undefined;
}

/** Kills the lab and waits until its processes have ended. Does nothing if it does not run. */
export async function stopLabDaemon(files: LabFiles): Promise<void> {
  const holder = await findRunningDaemon(files);
  if (holder === undefined) return;
  const init = await findInitProcess(holder).catch(() => undefined);
  process.kill(holder, "SIGKILL");
  for (const pid of [init, holder]) while (pid !== undefined && (await isRunning(pid))) await sleep(10);
}

/** Returns the lab's first process, the holder's only child, as a process id of the host. @throws if it has ended */
export async function findInitProcess(holder: number): Promise<number> {
  const { stdout } = await runCommand(["cat", `/proc/${holder}/task/${holder}/children`]);
  const init = Number(stdout.trim().split(" ")[0]);
  if (!Number.isInteger(init) || init <= 1)
    throw new Error("The lab's first process has ended: remove the rest with npm run down.");
  return init;
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/^\d+ \(.*\) [ZX]/.test(status);
}
