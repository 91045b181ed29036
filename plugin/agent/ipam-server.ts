import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { dirname } from "node:path";
import { CniError, CODE } from "../cni/error.ts";
import type { Allocator } from "../ipam/allocator.ts";
import { AGENT_SOCKET, ipamRequest } from "../ipam/protocol.ts";

const BODY_MAX = 64 * 1024;

/** Answers the IPAM plugin on the node's socket, for root alone. */
export function serveIpam(allocator: Allocator, path = AGENT_SOCKET): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    answer(allocator, request).then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => {
        const code = error instanceof CniError ? error.code : CODE.tryAgainLater;
        const message = error instanceof Error ? error.message : String(error);
        response.writeHead(422).end(JSON.stringify({ code, message }));
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

async function answer(allocator: Allocator, message: IncomingMessage): Promise<unknown> {
  const verb = (message.url ?? "").replace(/^\/ipam\//, "");
  if (verb === "status") return {};
  const request = ipamRequest.parse(JSON.parse(await body(message)));
  switch (verb) {
    case "allocate":
      return allocator.allocate(request);
    case "release":
      await allocator.release(request);
      return {};
    case "check":
      await allocator.check(request);
      return {};
    case "gc":
      return {};
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
