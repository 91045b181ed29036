import { serveCni } from "../agent/server/cni-server.ts";
import { type CallOptions, runCni } from "../cni/run-cni.ts";
import { buildPaths } from "../cni/paths.ts";

/**
 * The plugin with a fault: INTERLAY_FAULT=fail:N or kill:N, before step N of the plan (from 0); with `serve SOCKET STATE`,
 * the part of an agent that answers calls, with the same fault. An executable of its own, so that the installed
 * one has no such option.
 */
const [kind, at] = (process.env["INTERLAY_FAULT"] ?? "").split(":");
const beforeStep: CallOptions["beforeStep"] = (_item, index) => {
  if (index !== Number(at)) return;
  if (kind === "kill") process.kill(process.pid, "SIGKILL");
  throw new Error("a fault made by a test");
};

const [verb, path = "", stateDirectory = ""] = process.argv.slice(2);
if (verb === "serve") {
  const paths = buildPaths(stateDirectory, `${stateDirectory}/cni.log`);
  void serveCni({ path, paths, beforeStep });
} else process.exitCode = runCni(process.env, { beforeStep });
