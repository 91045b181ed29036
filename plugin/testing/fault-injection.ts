import { serveCni } from "../agent/server/cni-server.ts";
import { type CallOptions, runCni } from "../cni/run-cni.ts";
import { buildPaths } from "../cni/plugin-paths.ts";

/**
 * The plugin with fault injection: INTERLAY_FAULT=fail:N or kill:N fails or ends it before step N of the plan (from 0). With
 * `serve SOCKET STATE` it serves calls like an agent, with the same fault. It is a separate executable, so that the installed one has no
 * such option.
 */
const [kind, position] = (process.env["INTERLAY_FAULT"] ?? "").split(":");
const beforeStep: CallOptions["beforeStep"] = (_item, index) => {
  if (index !== Number(position)) return;
  if (kind === "kill") process.kill(process.pid, "SIGKILL");
  throw new Error("a fault made by a test");
};

const [verb, path = "", stateDirectory = ""] = process.argv.slice(2);
if (verb === "serve") {
  const paths = buildPaths(stateDirectory, `${stateDirectory}/cni.log`);
  void serveCni({ path, paths, beforeStep });
} else process.exitCode = runCni(process.env, { beforeStep });
