import { runCni } from "../cni/main.ts";

/**
 * The plugin with a fault: INTERLAY_FAULT=fail:N or kill:N, before step N of the plan (from 0). An executable of its own,
 * so that no such door is in the one that is installed.
 */
const [kind, at] = (process.env["INTERLAY_FAULT"] ?? "").split(":");
process.exitCode = runCni(process.env, {
  beforeStep: (_item, index) => {
    if (index !== Number(at)) return;
    if (kind === "kill") process.kill(process.pid, "SIGKILL");
    throw new Error("a fault made by a test");
  },
});
