import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { Command } from "commander";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";
import { observeInstallation } from "./status/observation.ts";
import { renderStatus } from "./status/render-status.ts";
import { type InstallationStatus, judgeInstallation } from "./status/installation-status.ts";

const POLL_MS = 1000;

interface StatusFlags extends ClusterFlags {
  readonly wait?: true;
  readonly timeout: number;
  readonly output: OutputFormat;
}

/** `interlay status`: one verdict from the agents' rollout, the nodes' conditions and the pools. */
export function createStatusCommand(): Command {
  const command = new Command("status")
    .description("print whether Interlay is ready on each node, and why not; exit status 1 if it is not")
    .option("--wait", "wait until it is ready, at most --timeout seconds")
    .addHelpText("after", "\nExamples:\n  interlay status --wait --timeout 300\n  interlay status -o json");
  return addGlobalOptions(addClusterOptions(command), ["timeout", "output"]).action(async (flags: StatusFlags) => {
    const config = await loadCluster(flags);
    const status = await readStatus(config, flags.wait ? 1000 * flags.timeout : 0);
    printOutput(flags.output, status, () => renderStatus(status));
    if (!status.ready) process.exitCode = 1;
  });
}

/**
 * Reads the status repeatedly, until it is ready or after the timeout.
 * @param timeoutMs 0: the status is read once
 * @param needsPool whether a cluster without an UnderlayPool is not ready
 */
export async function readStatus(config: KubeConfig, timeoutMs: number, needsPool = true): Promise<InstallationStatus> {
  const deadline = Date.now() + timeoutMs;
  const read = async () => judgeInstallation(await observeInstallation(config), needsPool);
  let status = await read();
  if (status.ready || timeoutMs === 0) return status;
  const step = createProgress().step("wait until Interlay is ready");
  while (!status.ready && Date.now() < deadline) {
    step.update(status.problems[0] ?? "");
    await sleep(POLL_MS);
    status = await read();
  }
  if (status.ready) step.done();
  else step.fail(`not ready after ${timeoutMs / 1000} s`);
  return status;
}
