import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { buildRequestFrame, callAgent } from "../cni/protocol/call-agent.ts";
import { CNI_SOCKET_VARIABLE, type CniReply, DEFAULT_CNI_SOCKET } from "../cni/protocol/cni-protocol.ts";
import { CniError, CODE, renderError } from "../cni/error.ts";
import { buildPaths, readPluginPaths } from "../cni/plugin-paths.ts";
import { parseRequest, type Request } from "../cni/request.ts";
import { writeStdout } from "../cni/write-stdout.ts";
import { removePodOptions } from "../state/pod-options.ts";
import { IPAM_PLUGIN, logIpamCall } from "./ipam-log.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Long enough for a busy API server, shorter than the runtime's own timeout. */
const TIMEOUT_MS = 15_000;
/** An agent that is being updated returns within seconds. */
const RETRY_MS = 250;
const MAX_CALLS = 20;
const MAX_CALLS_OF_DEL = 2;

/**
 * Runs the IPAM plugin in its own process, after the launcher got no response from the agent. Only the agent can allocate, so this
 * process sends the call again, by the launcher's protocol. DEL succeeds without an agent: a later agent reclaims addresses whose pod
 * no longer exists.
 *
 * @returns the exit status
 */
export async function runIpam(env: Environment, stdin: () => string = () => readFileSync(0, "utf8")): Promise<number> {
  const started = performance.now();
  let request: Request | undefined;
  let paths = buildPaths();
  let failure: unknown;
  try {
    paths = readPluginPaths(env);
    const text = stdin();
    request = parseRequest(env, text);
    const reply = await callUntilServed(env, text, request.command === "DEL" ? MAX_CALLS_OF_DEL : MAX_CALLS);
    if (reply !== undefined) {
      if (reply.output !== "") writeStdout(reply.output);
      return reply.status; // the agent has logged the call
    }
    if (request.command !== "DEL") throw createAgentUnavailableError(env);
    removePodOptions(request.containerId, request.ifname, paths.state);
  } catch (error) {
    failure = error;
    writeStdout(renderError(error, request?.config.cniVersion ?? "1.0.0"));
  }
  logIpamCall(env["CNI_COMMAND"], "standalone", request, performance.now() - started, failure, paths.log);
  return failure === undefined ? 0 : 1;
}

/**
 * Calls the agent again while it is not available. A call that timed out is not sent again.
 *
 * @returns undefined without a response
 */
export async function callUntilServed(
  env: Environment,
  stdin: string,
  maxCalls: number,
): Promise<CniReply | undefined> {
  for (let call = 1; call <= maxCalls; call++) {
    if (call > 1) await sleep(RETRY_MS);
    const reply = await callAgent(buildRequestFrame(IPAM_PLUGIN, env, stdin, TIMEOUT_MS), getSocketPath(env));
    if (reply === "timeout") return undefined;
    if (reply !== "unavailable") return reply;
  }
  return undefined;
}

function getSocketPath(env: Environment): string {
  return env[CNI_SOCKET_VARIABLE] ?? DEFAULT_CNI_SOCKET;
}

function createAgentUnavailableError(env: Environment): CniError {
  return new CniError(
    CODE.tryAgainLater,
    `no response from the node's Interlay agent at ${getSocketPath(env)}`,
    "Pods wait until the agent runs: see `kubectl -n interlay-system get pods -o wide`.",
  );
}
