import { readFileSync } from "node:fs";
import { join } from "node:path";
import { add } from "./add.ts";
import { check } from "./check.ts";
import { collectGarbage, del } from "./del.ts";
import { CniError, CODE, errorJson } from "./error.ts";
import { loadFacts } from "./facts-file.ts";
import { logCall } from "./log.ts";
import { parseRequest, type Request, SUPPORTED_VERSIONS } from "./request.ts";

/** A call of the CNI plugin: stdin and environment in, JSON on stdout. Returns the exit status. */
export function runCni(env: Readonly<Record<string, string | undefined>>): number {
  const started = performance.now();
  let request: Request | undefined;
  let failure: unknown;
  try {
    request = parseRequest(env, readFileSync(0, "utf8"));
    const output = dispatch(request);
    if (output !== undefined) process.stdout.write(`${JSON.stringify(output)}\n`);
  } catch (error) {
    failure = error;
    process.stdout.write(`${errorJson(error, request?.config.cniVersion ?? "1.0.0")}\n`);
  }
  if (request?.command !== "VERSION")
    logCall({
      command: env["CNI_COMMAND"],
      containerId: request?.containerId,
      ifname: request?.ifname,
      pod: request?.pod,
      milliseconds: Math.round((performance.now() - started) * 10) / 10,
      ...(failure === undefined ? {} : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
    });
  return failure === undefined ? 0 : 1;
}

function dispatch(request: Request): unknown {
  switch (request.command) {
    case "VERSION":
      return { cniVersion: SUPPORTED_VERSIONS.at(-1), supportedVersions: SUPPORTED_VERSIONS };
    case "ADD":
      return { ...add(request), cniVersion: request.config.cniVersion };
    case "DEL":
      del(request, request.config.stateDirectory);
      return undefined;
    case "CHECK":
      check(request);
      return undefined;
    case "GC":
      collectGarbage(request.config["cni.dev/attachments"] ?? [], request.config.stateDirectory);
      return undefined;
    case "STATUS":
      status(request.config.stateDirectory);
      return undefined;
  }
}

/** Section 2 "STATUS": can ADD be served? */
function status(stateDirectory: string): void {
  try {
    loadFacts(join(stateDirectory, "facts.json"));
  } catch (error) {
    throw error instanceof CniError ? new CniError(CODE.notAvailable, error.message, error.details) : error;
  }
}
