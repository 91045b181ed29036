import { readFileSync } from "node:fs";
import { config } from "zod/mini";
import en from "zod/v4/locales/en.js";
import type { PlanItem } from "../datapath/plan.ts";
import { add } from "./add.ts";
import type { Call } from "./call.ts";
import { check } from "./check.ts";
import { collectGarbage, del } from "./del.ts";
import { errorJson } from "./error.ts";
import { logCall } from "./log.ts";
import { type Places, placesOf } from "./options.ts";
import { peakMemory } from "./peak-memory.ts";
import { parseRequest, type Request, validAttachments } from "./request.ts";
import { say } from "./say.ts";
import { status } from "./status.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// Compiling a schema pays after many uses; a call has one.
config({ ...en(), jitless: true });

/** A call of the CNI plugin: stdin and environment in, JSON on stdout. Returns the exit status. */
export function runCni(
  env: Environment,
  beforeStep: (item: PlanItem, index: number) => void = () => undefined,
): number {
  const started = performance.now();
  const steps: Record<string, number> = { start: milliseconds(started) };
  let last = started;
  const lap = (step: string): void => {
    const now = performance.now();
    steps[step] = milliseconds(now - last);
    last = now;
  };
  let request: Request | undefined;
  let places: Places = placesOf({});
  let failure: unknown;
  try {
    request = parseRequest(env, readFileSync(0, "utf8"));
    places = placesOf(request.config);
    lap("parse");
    const output = dispatch({ request, places, lap, beforeStep });
    if (output !== undefined) say(JSON.stringify(output));
  } catch (error) {
    failure = error;
    say(errorJson(error, request?.config.cniVersion ?? "1.0.0"));
  }
  logCall(
    {
      command: env["CNI_COMMAND"],
      containerId: request?.containerId,
      ifname: request?.ifname,
      pod: request?.pod,
      milliseconds: milliseconds(performance.now() - started),
      steps,
      peakMemoryKiB: peakMemory(),
      ...(failure === undefined ? {} : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
    },
    places.log,
  );
  return failure === undefined ? 0 : 1;
}

function milliseconds(value: number): number {
  return Math.round(value * 10) / 10;
}

function dispatch(call: Call): unknown {
  const { request, places, lap } = call;
  switch (request.command) {
    case "ADD":
      return { ...add(call), cniVersion: request.config.cniVersion };
    case "DEL":
      del(request, places.state);
      lap("remove");
      return undefined;
    case "CHECK":
      check(call);
      return undefined;
    case "GC":
      collectGarbage(request.config.name, validAttachments(request.config), places.state);
      return undefined;
    case "STATUS":
      status(places.facts);
      return undefined;
  }
}
