import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ExecMode } from "../cni/cni-call.ts";
import { CniError, CODE, renderError } from "../cni/error.ts";
import { logCall } from "../cni/log.ts";
import type { CniResponse } from "../cni/run-cni.ts";
import { buildPaths, type Paths, readPaths } from "../cni/paths.ts";
import { parseRequest, type Request, validAttachments } from "../cni/request.ts";
import { removePodOptions, writePodOptions } from "../state/pod-options.ts";
import { writeStdout } from "../cni/write-stdout.ts";
import { AGENT_SOCKET, type IpamAnswer, ipamAnswer, ipamRefusal } from "./protocol.ts";

/** Long enough for a busy API server, shorter than the runtime's own timeout. */
const TIMEOUT_MS = 15_000;
/** An agent that is being updated returns within seconds. */
const CONNECT_RETRY_MS = 250;
const CONNECT_TRIES = 20;

/** Keys of the network configuration that this plugin reads; the rest is for the main plugin. */
const ownConfig = z.object({ pools: z.array(z.string()).default([]) });

/** Only the pod's first NIC gets the pool's default route; other NICs have their own routing tables. */
const MAIN_NIC = "eth0";

/** Sends a request to the agent. Throws CniError if the agent rejects it or does not answer. */
export type AskAgent = (verb: string, request: Request) => Promise<unknown>;

/** Runs the IPAM plugin standalone. @returns the exit status */
export async function runIpam(env: Environment): Promise<number> {
  const { status, output, after } = await executeIpam(env, readFileSync(0, "utf8"), "standalone", askAgent);
  if (output !== "") writeStdout(output);
  after();
  return status;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Executes one call of the IPAM plugin (CNI spec 1.1.0, section 4 "Plugin Delegation"). @returns output, status and a log function */
export async function executeIpam(
  env: Environment,
  stdin: string,
  mode: ExecMode,
  ask: AskAgent,
  served?: Paths,
): Promise<CniResponse> {
  const started = performance.now();
  let request: Request | undefined;
  let places: Paths = served ?? buildPaths();
  let failure: unknown;
  let output = "";
  try {
    places = served ?? readPaths(env);
    request = parseRequest(env, stdin);
    const answer = await runCommand(request, ask, places.state);
    if (answer !== undefined) output = JSON.stringify(answer);
  } catch (error) {
    failure = error;
    output = renderError(error, request?.config.cniVersion ?? "1.0.0");
  }
  const took = Math.round((performance.now() - started) * 10) / 10;
  const after = (): void => {
    logCall(
      {
        plugin: "interlay-ipam",
        command: env["CNI_COMMAND"],
        mode,
        containerId: request?.containerId,
        ifname: request?.ifname,
        pod: request?.pod,
        milliseconds: took,
        ...(failure === undefined
          ? {}
          : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
      },
      places.log,
    );
  };
  return { status: failure === undefined ? 0 : 1, output, after };
}

async function runCommand(request: Request, ask: AskAgent, stateDirectory: string): Promise<unknown> {
  switch (request.command) {
    case "ADD":
      return toCniResult(request, ipamAnswer.parse(await ask("allocate", request)), stateDirectory);
    case "CHECK":
      await ask("check", request);
      return undefined;
    case "DEL":
      await releaseAddresses(request, ask, stateDirectory);
      return undefined;
    case "GC":
    case "STATUS":
      await ask(request.command.toLowerCase(), request);
      return undefined;
  }
}

/** Builds the result of section 5 "ADD Success": addresses and routes; the main plugin adds the interfaces. */
function toCniResult(
  { config, containerId, ifname }: Request,
  { ips, routes: poolRoutes, defaultRouteNic }: IpamAnswer,
  stateDirectory: string,
): unknown {
  if (defaultRouteNic === undefined) removePodOptions(containerId, ifname, stateDirectory);
  else writePodOptions(containerId, ifname, { defaultRouteNic }, stateDirectory);
  const defaults = ips.flatMap(({ address, gateway }) =>
    gateway === undefined || ifname !== MAIN_NIC
      ? []
      : [{ dst: address.includes(":") ? "::/0" : "0.0.0.0/0", gw: gateway }],
  );
  const routes = [...defaults, ...poolRoutes];
  const version = (address: string) =>
    config.cniVersion.startsWith("0.") ? { version: address.includes(":") ? "6" : "4" } : {};
  return { cniVersion: config.cniVersion, ips: ips.map((ip) => ({ ...version(ip.address), ...ip })), routes };
}

/** DEL succeeds without an agent: a later agent reclaims addresses whose pod no longer exists. */
async function releaseAddresses(request: Request, ask: AskAgent, stateDirectory: string): Promise<void> {
  removePodOptions(request.containerId, request.ifname, stateDirectory);
  try {
    await ask("release", request);
  } catch (error) {
    if (!(error instanceof CniError && error.code === CODE.tryAgainLater)) throw error;
  }
}

/** Retries the connection for some seconds. A request that timed out is not sent again. */
async function askAgent(verb: string, request: Request): Promise<unknown> {
  const tries = request.command === "DEL" ? 2 : CONNECT_TRIES;
  for (let attempt = 1; ; attempt++) {
    let response: Response;
    try {
      response = await fetch(`http://interlay/ipam/${verb}`, {
        method: "POST",
        body: JSON.stringify(toAgentRequest(request)),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        // Bun's extension of fetch: connect to this unix socket
        unix: AGENT_SOCKET,
      } as RequestInit);
    } catch (error) {
      const timedOut = error instanceof Error && error.name === "TimeoutError";
      if (attempt < tries && !timedOut) {
        await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
        continue;
      }
      throw new CniError(
        CODE.tryAgainLater,
        `no response from the node's Interlay agent at ${AGENT_SOCKET} (${error instanceof Error ? error.message : ""})`,
        "Pods wait until the agent runs: see `kubectl -n interlay-system get pods -o wide`.",
      );
    }
    const body: unknown = await response.json();
    if (response.ok) return body;
    const { code, message, details } = ipamRefusal.parse(body);
    throw new CniError(code, message, details);
  }
}

/** Builds the body of the request to the agent. */
export function toAgentRequest({ command, containerId, ifname, netns, pod, config }: Request): unknown {
  if (command === "GC") return { network: config.name, valid: validAttachments(config) };
  const own = ownConfig.safeParse(config["ipam"]);
  return { containerId, ifname, netns, network: config.name, pools: own.success ? own.data.pools : [], pod };
}
