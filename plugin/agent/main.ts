import { readFileSync } from "node:fs";
import { Agent } from "./agent.ts";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { createNodeDirectories, type NodePaths } from "./install/node-paths.ts";
import { parseServerSettings } from "./server/server-settings.ts";
import { setLogLevel } from "./status/agent-log.ts";
import { waitForTermination } from "./wait-for-termination.ts";

/** Runs the agent until SIGTERM: the command of the DaemonSet. Pods keep their network after it ends. */
export async function runAgent(paths: NodePaths): Promise<void> {
  const settings = parseServerSettings(process.env);
  setLogLevel(settings.logLevel);
  createNodeDirectories(paths);
  const agent = new Agent(KubeClient.connectMultiplexed(), readNodeName(process.env), paths, settings);
  const terminated = waitForTermination();
  await agent.start();
  await terminated;
  agent.stop();
  process.exit(0);
}

/** Returns the name of this agent's node, from the downward API. */
function readNodeName(env: NodeJS.ProcessEnv): string {
  const name = env["NODE_NAME"] ?? readFileSync("/etc/hostname", "utf8").trim();
  if (name === "") throw new Error("NODE_NAME is empty: the DaemonSet must set it from spec.nodeName");
  return name;
}
