import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { dirname } from "node:path";
import { CniError, CODE } from "../../cni/error.ts";
import type { Allocator } from "../../ipam/allocator.ts";
import { AGENT_SOCKET, gcRequest, ipamRequest } from "../../ipam/protocol.ts";

const BODY_MAX = 1024 * 1024;

export interface IpamListener {
  /** A refused ADD: counted, and told on the pod. */
  readonly refused: (
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    message: string,
  ) => void;
  /** How long an answer took, in seconds. */
  readonly answered: (verb: string, seconds: number, ok: boolean) => void;
}

/** Answers the IPAM plugin on the node's socket, for root alone. A socket that another agent left is taken over. */
export function serveIpam(allocator: Allocator, listener: IpamListener, path = AGENT_SOCKET): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    const verb = (request.url ?? "").replace(/^\/ipam\//, "");
    const parsed = async (): Promise<unknown> => (verb === "status" ? undefined : JSON.parse(await body(request)));
    answerIpam(allocator, verb, parsed, listener).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => {
        const { code, message, details } = asCniError(error);
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

/** An answer of the allocator, counted. @throws CniError */
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
    throw asCniError(error);
  } finally {
    listener.answered(verb, (performance.now() - started) / 1000, ok);
  }
}

function asCniError(error: unknown): CniError {
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
        `the agent knows no IPAM request "${verb}"`,
        "Plugin and agent are of different versions.",
      );
  }
}

async function body(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) {
    text += String(chunk);
    if (text.length > BODY_MAX) throw new CniError(CODE.decode, "the request is too long");
  }
  return text;
}
