import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { dirname } from "node:path";
import { CniError, CODE } from "../../cni/error.ts";
import type { Allocator } from "../../ipam/allocator/allocator.ts";
import { AGENT_SOCKET, gcRequest, ipamRequest } from "../../ipam/protocol.ts";

const MAX_BODY_BYTES = 1024 * 1024;

export interface IpamListener {
  /** Called for a refused ADD, to count it and write an event of the pod. */
  readonly refused: (
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    message: string,
  ) => void;
  /** Called with the duration of a request, in seconds. */
  readonly answered: (verb: string, seconds: number, ok: boolean) => void;
}

/** Serves the IPAM plugin on the node's socket, for root only. Replaces a previous agent's socket. */
export function serveIpam(allocator: Allocator, listener: IpamListener, path = AGENT_SOCKET): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    const verb = (request.url ?? "").replace(/^\/ipam\//, "");
    const parsed = async (): Promise<unknown> => (verb === "status" ? undefined : JSON.parse(await readBody(request)));
    answerIpam(allocator, verb, parsed, listener).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => {
        const { code, message, details } = toCniError(error);
        response.writeHead(422).end(JSON.stringify({ code, message, details }));
      },
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

/**
 * Runs a request with the allocator and records its duration.
 * @throws CniError
 */
export async function answerIpam(
  allocator: Allocator,
  verb: string,
  question: () => Promise<unknown>,
  listener: IpamListener,
): Promise<unknown> {
  const started = performance.now();
  let ok = false;
  try {
    const answer = await dispatch(allocator, verb, await question(), listener);
    ok = true;
    return answer;
  } catch (error) {
    throw toCniError(error);
  } finally {
    listener.answered(verb, (performance.now() - started) / 1000, ok);
  }
}

function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  return new CniError(CODE.tryAgainLater, error instanceof Error ? error.message : String(error));
}

async function dispatch(allocator: Allocator, verb: string, json: unknown, listener: IpamListener): Promise<unknown> {
  if (verb === "status") return {};
  switch (verb) {
    case "allocate": {
      const request = ipamRequest.parse(json);
      try {
        return await allocator.allocate(request);
      } catch (error) {
        listener.refused(request.pod, error instanceof Error ? error.message : String(error));
        throw error;
      }
    }
    case "release":
      await allocator.release(ipamRequest.parse(json));
      return {};
    case "check":
      allocator.check(ipamRequest.parse(json));
      return {};
    case "gc": {
      const { network, valid } = gcRequest.parse(json);
      await allocator.collect(
        network,
        valid.map(({ containerID, ifname }) => ({ containerId: containerID, ifname })),
      );
      return {};
    }
    default:
      throw new CniError(
        CODE.unsupportedField,
        `unknown IPAM request "${verb}"`,
        "Plugin and agent are of different versions.",
      );
  }
}

async function readBody(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new CniError(CODE.decode, "the request is too long");
  }
  return text;
}
