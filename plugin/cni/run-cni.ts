import { readFileSync } from "node:fs";
import { config } from "zod/mini";
import en from "zod/v4/locales/en.js";
import { PodBusyError } from "../datapath/pod-lock.ts";
import { cmdAdd } from "./add.ts";
import { type CniCall, RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { cmdCheck } from "./check.ts";
import { collectGarbage, cmdDel, cmdDelDeferred, findStaleAttachments } from "./del.ts";
import { renderError } from "./error.ts";
import { logCall } from "./call-log.ts";
import { buildPaths, type Paths, readPluginPaths } from "./plugin-paths.ts";
import { readPeakMemory } from "./peak-memory.ts";
import { parseRequest, type Request, listValidAttachments } from "./request.ts";
import { writeStdout } from "./write-stdout.ts";
import { cmdStatus } from "./status.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface CniResponse {
  readonly status: number;
  /** Text for stdout; empty for commands without a result. */
  readonly output: string;
  /** Work to do after the response is sent. */
  readonly after: () => void;
}

export interface CallOptions {
  readonly mode?: ExecMode;
  /** Called before each plan item (for tests). */
  readonly beforeStep?: CniCall["beforeStep"];
  /** The agent's paths; if undefined, they are read from the environment. */
  readonly paths?: Paths;
  /** Sets the option dryRun, regardless of the configuration. */
  readonly dryRun?: boolean;
}

/** Runs a CNI call in the plugin's own process: reads environment and stdin, writes JSON to stdout. @returns the exit status */
export function runCni(env: Environment, options: CallOptions = {}): number {
  // Compiling a schema is only worth it for many uses; this process uses it once.
  config({ ...en(), jitless: true });
  const { status, output, after } = answerCni(env, () => readFileSync(0, "utf8"), {
    ...options,
    started: performance.now(),
  });
  if (output !== "") writeStdout(output);
  after();
  return status;
}

/**
 * Executes a call and builds its response and log entry.
 *
 * @throws RunStandaloneError or PodBusyError in the agent, for a call that the plugin's own process must run; nothing is logged then
 */
export function answerCni(
  env: Environment,
  stdin: () => string,
  {
    mode = "standalone",
    beforeStep,
    paths: agentPaths,
    dryRun = false,
    started,
  }: CallOptions & { readonly started: number },
): CniResponse {
  const startedAt = performance.now();
  const steps: Record<string, number> = mode === "standalone" ? { start: roundMilliseconds(startedAt) } : {};
  let lastStepAt = startedAt;
  const markStep = (step: string): void => {
    const now = performance.now();
    steps[step] = roundMilliseconds(now - lastStepAt);
    lastStepAt = now;
  };
  let request: Request | undefined;
  let paths: Paths = agentPaths ?? buildPaths();
  let failure: unknown;
  const notices: string[] = [];
  let output = "";
  const deferred: (() => void)[] = [];
  const defer = (work: () => void): void => {
    deferred.push(work);
  };
  try {
    paths = agentPaths ?? readPluginPaths(env);
    request = parseRequest(env, stdin());
    if (dryRun) request = { ...request, config: { ...request.config, dryRun } };
    markStep("parse");
    const result = executeCommand({
      request,
      paths,
      mode,
      markStep,
      defer,
      notices,
      ...(beforeStep === undefined ? {} : { beforeStep }),
    });
    if (result !== undefined) output = JSON.stringify(result);
  } catch (error) {
    if (error instanceof RunStandaloneError || error instanceof PodBusyError) throw error;
    failure = error;
    output = renderError(error, request?.config.cniVersion ?? "1.0.0");
  }
  const duration = roundMilliseconds(performance.now() - started);
  const after = (): void => {
    for (const work of deferred) work();
    logCall(
      {
        command: env["CNI_COMMAND"],
        mode,
        containerId: request?.containerId,
        ifname: request?.ifname,
        pod: request?.pod,
        milliseconds: duration,
        steps,
        ...(mode === "standalone" ? { peakMemoryKiB: readPeakMemory() } : {}),
        ...(notices.length === 0 ? {} : { notices }),
        ...(failure === undefined
          ? {}
          : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
      },
      paths.log,
    );
  };
  return { status: failure === undefined ? 0 : 1, output, after };
}

function roundMilliseconds(value: number): number {
  return Math.round(value * 10) / 10;
}

function executeCommand(call: CniCall): unknown {
  const { request, paths, mode, markStep } = call;
  switch (request.command) {
    case "ADD":
      return { ...cmdAdd(call), cniVersion: request.config.cniVersion };
    case "DEL":
      if (mode === "agent") cmdDelDeferred(request, paths.state);
      else cmdDel(request, paths.state);
      markStep("remove");
      return undefined;
    case "CHECK":
      cmdCheck(call);
      return undefined;
    case "GC": {
      const { name } = request.config;
      const valid = listValidAttachments(request.config);
      if (mode === "agent" && findStaleAttachments(name, valid, paths.state).length > 0)
        throw new RunStandaloneError("GC has attachments to remove");
      collectGarbage(name, valid, paths.state);
      return undefined;
    }
    case "STATUS":
      cmdStatus(paths.facts);
      return undefined;
  }
}
