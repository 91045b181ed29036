import { readFileSync } from "node:fs";
import { config } from "zod/mini";
import en from "zod/v4/locales/en.js";
import { PodBusyError } from "../datapath/pod-lock.ts";
import { cmdAdd } from "./add.ts";
import { type CniCall, RunStandaloneError, type ExecMode } from "./cni-call.ts";
import { cmdCheck } from "./check.ts";
import { collectGarbage, cmdDel, cmdDelDeferred, findStaleAttachments } from "./del.ts";
import { renderError } from "./error.ts";
import { logCall } from "./log.ts";
import { buildPaths, type Paths, readPaths } from "./paths.ts";
import { readPeakMemory } from "./peak-memory.ts";
import { parseRequest, type Request, validAttachments } from "./request.ts";
import { writeStdout } from "./write-stdout.ts";
import { cmdStatus } from "./status.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface CniResponse {
  readonly status: number;
  /** What goes to stdout; empty for verbs that answer nothing. */
  readonly output: string;
  /** What is left to do when that is out. */
  readonly after: () => void;
}

export interface CallOptions {
  readonly mode?: ExecMode;
  /** Called before each step of a plan (tests). */
  readonly beforeStep?: CniCall["beforeStep"];
  /** The agent's own places; a call in a process of its own reads them from its environment. */
  readonly paths?: Paths;
  /** As the option dryRun, whatever the configuration says. */
  readonly dryRun?: boolean;
}

/** A call of the CNI plugin in a process of its own: stdin and environment in, JSON on stdout. Returns the exit status. */
export function runCni(env: Environment, options: CallOptions = {}): number {
  // Compiling a schema pays after many uses; here a call has one.
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
 * From what a call says to its answer and its line in the log. Throws NotServedError and PodBusyError in the agent, for
 * what the plugin is to do alone; nothing is logged then.
 */
export function answerCni(
  env: Environment,
  stdin: () => string,
  {
    mode: way = "alone",
    beforeStep,
    paths: served,
    dryRun = false,
    started,
  }: CallOptions & { readonly started: number },
): CniResponse {
  const begun = performance.now();
  const steps: Record<string, number> = way === "alone" ? { start: milliseconds(begun) } : {};
  let last = begun;
  const lap = (step: string): void => {
    const now = performance.now();
    steps[step] = milliseconds(now - last);
    last = now;
  };
  let request: Request | undefined;
  let places: Paths = served ?? buildPaths();
  let failure: unknown;
  const notices: string[] = [];
  let output = "";
  const deferred: (() => void)[] = [];
  const later = (work: () => void): void => {
    deferred.push(work);
  };
  try {
    places = served ?? readPaths(env);
    request = parseRequest(env, stdin());
    if (dryRun) request = { ...request, config: { ...request.config, dryRun } };
    lap("parse");
    const answer = dispatch({
      request,
      paths: places,
      mode: way,
      markStep: lap,
      defer: later,
      notices,
      ...(beforeStep === undefined ? {} : { beforeStep }),
    });
    if (answer !== undefined) output = JSON.stringify(answer);
  } catch (error) {
    if (error instanceof RunStandaloneError || error instanceof PodBusyError) throw error;
    failure = error;
    output = renderError(error, request?.config.cniVersion ?? "1.0.0");
  }
  const took = milliseconds(performance.now() - started);
  const after = (): void => {
    for (const work of deferred) work();
    logCall(
      {
        command: env["CNI_COMMAND"],
        way,
        containerId: request?.containerId,
        ifname: request?.ifname,
        pod: request?.pod,
        milliseconds: took,
        steps,
        ...(way === "alone" ? { peakMemoryKiB: readPeakMemory() } : {}),
        ...(notices.length === 0 ? {} : { notices }),
        ...(failure === undefined
          ? {}
          : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
      },
      places.log,
    );
  };
  return { status: failure === undefined ? 0 : 1, output, after };
}

function milliseconds(value: number): number {
  return Math.round(value * 10) / 10;
}

function dispatch(call: CniCall): unknown {
  const { request, paths: places, mode: way, markStep: lap } = call;
  switch (request.command) {
    case "ADD":
      return { ...cmdAdd(call), cniVersion: request.config.cniVersion };
    case "DEL":
      if (way === "agent") cmdDelDeferred(request, places.state);
      else cmdDel(request, places.state);
      lap("remove");
      return undefined;
    case "CHECK":
      cmdCheck(call);
      return undefined;
    case "GC": {
      const { name } = request.config;
      const valid = validAttachments(request.config);
      if (way === "agent" && findStaleAttachments(name, valid, places.state).length > 0)
        throw new RunStandaloneError("there is something to remove");
      collectGarbage(name, valid, places.state);
      return undefined;
    }
    case "STATUS":
      cmdStatus(places.facts);
      return undefined;
  }
}
