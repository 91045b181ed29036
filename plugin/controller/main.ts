import { hostname } from "node:os";
import { parseServerSettings } from "../agent/server/server-settings.ts";
import { setLogLevel } from "../agent/status/agent-log.ts";
import { waitForTermination } from "../agent/wait-for-termination.ts";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { Controller } from "./controller.ts";

/** Runs a replica of the controller until SIGTERM: the command of the Deployment. */
export async function runController(): Promise<void> {
  const settings = parseServerSettings(process.env);
  setLogLevel(settings.logLevel);
  const terminated = waitForTermination();
  const controller = new Controller(KubeClient.connectMultiplexed(), process.env["POD_NAME"] ?? hostname(), settings);
  await controller.start();
  await terminated;
  await controller.stop();
  process.exit(0);
}
