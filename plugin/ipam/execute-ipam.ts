import { z } from "zod";
import { CniError, CODE, renderError } from "../cni/error.ts";
import type { Paths } from "../cni/plugin-paths.ts";
import { parseRequest, type Request, listValidAttachments } from "../cni/request.ts";
import type { CniResponse } from "../cni/run-cni.ts";
import { removePodOptions, writePodOptions } from "../state/pod-options.ts";
import type { Allocator } from "./allocator/allocator.ts";
import { logIpamCall } from "./ipam-log.ts";
import type { IpamResult, IpamRequest } from "./records/ipam-request.ts";
import { getErrorMessage } from "../errors/error-message.ts";

/** Keys of the network configuration that this plugin reads; the rest is for the main plugin. */
const ownConfig = z.object({ pools: z.array(z.string()).default([]) });

/** Only the pod's first NIC gets the pool's default route; other NICs have their own routing tables. */
const MAIN_NIC = "eth0";

/** Action of a call, as the label `verb` of metrics names it. */
const VERBS = { ADD: "allocate", DEL: "release", CHECK: "check", GC: "gc", STATUS: "status" } as const;

export interface IpamListener {
  /** Called for a refused ADD, to count it and write an event of the pod. */
  readonly refused: (pod: IpamRequest["pod"], message: string) => void;
  /** Called with the duration of a request to the allocator, in seconds. */
  readonly answered: (verb: string, seconds: number, ok: boolean) => void;
}

/** Result of an ADD. */
interface CniAddresses {
  readonly cniVersion: string;
  readonly ips: readonly { readonly address: string }[];
  readonly routes: readonly object[];
}

/** Services of the agent for calls of the IPAM plugin. */
interface IpamService {
  readonly allocator: Allocator;
  readonly listener: IpamListener;
  readonly paths: Paths;
}

/** Executes one call of the IPAM plugin (CNI spec 1.1.0, section 4 "Plugin Delegation") in the agent. */
export async function executeIpam(
  env: Readonly<Record<string, string | undefined>>,
  stdin: string,
  service: IpamService,
): Promise<CniResponse> {
  const started = performance.now();
  let request: Request | undefined;
  let failure: unknown;
  let output = "";
  let addresses: readonly string[] = [];
  try {
    request = parseRequest(env, stdin);
    const result = await runTimed(request, service);
    if (result !== undefined) {
      output = JSON.stringify(result);
      addresses = result.ips.map(({ address }) => address.replace(/\/.*$/, ""));
    }
  } catch (error) {
    if (!canSucceedLater(request, error)) {
      failure = error;
      output = renderError(error, request?.config.cniVersion ?? "1.0.0");
    }
  }
  const duration = performance.now() - started;
  const after = (): void => {
    logIpamCall(env["CNI_COMMAND"], "agent", request, duration, failure, service.paths.log, addresses);
  };
  return { status: failure === undefined ? 0 : 1, output, after };
}

/** DEL succeeds although the address cannot be released now: the agent reclaims it, because its pod no longer exists. */
function canSucceedLater(request: Request | undefined, error: unknown): boolean {
  return request?.command === "DEL" && error instanceof CniError && error.code === CODE.tryAgainLater;
}

/** Runs a command and reports its duration. @throws CniError */
async function runTimed(request: Request, service: IpamService): Promise<CniAddresses | undefined> {
  const started = performance.now();
  let ok = false;
  try {
    const result = await runCommand(request, service);
    ok = true;
    return result;
  } catch (error) {
    throw toCniError(error);
  } finally {
    service.listener.answered(VERBS[request.command], (performance.now() - started) / 1000, ok);
  }
}

function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  return new CniError(CODE.tryAgainLater, getErrorMessage(error));
}

async function runCommand(
  request: Request,
  { allocator, listener, paths }: IpamService,
): Promise<CniAddresses | undefined> {
  switch (request.command) {
    case "ADD":
      try {
        return toCniResult(request, await allocator.allocate(toIpamRequest(request)), paths.state);
      } catch (error) {
        listener.refused(request.pod, toCniError(error).message);
        throw error;
      }
    case "DEL":
      removePodOptions(request.containerId, request.ifname, paths.state);
      await allocator.release(request);
      return undefined;
    case "CHECK":
      allocator.check(request);
      return undefined;
    case "GC": {
      const valid = listValidAttachments(request.config);
      await allocator.collect(
        request.config.name,
        valid.map(({ containerID, ifname }) => ({ containerId: containerID, ifname })),
      );
      return undefined;
    }
    case "STATUS":
      return undefined;
  }
}

function toIpamRequest({ containerId, ifname, netns, pod, config }: Request): IpamRequest {
  const parsed = ownConfig.safeParse(config["ipam"]);
  return { containerId, ifname, netns, network: config.name, pools: parsed.success ? parsed.data.pools : [], pod };
}

/** Builds the result of section 5 "ADD Success": addresses and routes; the main plugin adds the interfaces. */
function toCniResult(
  { config, containerId, ifname }: Request,
  { ips, routes: poolRoutes, defaultRouteNic }: IpamResult,
  stateDirectory: string,
): CniAddresses {
  if (defaultRouteNic === undefined) removePodOptions(containerId, ifname, stateDirectory);
  else writePodOptions(containerId, ifname, { defaultRouteNic }, stateDirectory);
  const defaults = ips.flatMap(({ address, gateway }) =>
    gateway === undefined || ifname !== MAIN_NIC
      ? []
      : [{ dst: address.includes(":") ? "::/0" : "0.0.0.0/0", gw: gateway }],
  );
  const version = (address: string) =>
    config.cniVersion.startsWith("0.") ? { version: address.includes(":") ? "6" : "4" } : {};
  return {
    cniVersion: config.cniVersion,
    ips: ips.map((ip) => ({ ...version(ip.address), ...ip })),
    routes: [...defaults, ...poolRoutes],
  };
}
