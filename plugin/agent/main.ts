import { readFileSync } from "node:fs";
import { Agent } from "./agent.ts";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { createNodeDirectories, type NodePaths } from "./install/node-paths.ts";
import { parseServerSettings } from "./server/server-settings.ts";
import { setLogLevel } from "./status/agent-log.ts";
import { waitForTermination } from "./wait-for-termination.ts";

/** The DaemonSet's command: runs until SIGTERM. What the node has stays: pods keep their network while the agent is replaced. */
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

/** The node this agent runs on; by the downward API. */
function readNodeName(env: NodeJS.ProcessEnv): string {
  const name = env["NODE_NAME"] ?? readFileSync("/etc/hostname", "utf8").trim();
  if (name === "") throw new Error("NODE_NAME is empty: the DaemonSet must set it from spec.nodeName");
  return name;
}
