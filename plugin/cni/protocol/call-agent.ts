import { createConnection } from "node:net";
import {
  type CniReply,
  type CniRequestFrame,
  decodeResponse,
  encodeRequest,
  FALLBACK_STATUS,
  readFileIdentity,
} from "./cni-protocol.ts";

/** `unavailable`: no agent listens, it declined the call, or it ended before its response was complete. */
type AgentReply = CniReply | "unavailable" | "timeout";

/** Builds the request that the launcher would send for this process. */
export function buildRequestFrame(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  stdin: string,
  timeoutMs: number,
): CniRequestFrame {
  const variables = Object.entries(env).flatMap(([key, value]) =>
    key.startsWith("CNI_") && value !== undefined ? [[key, value] as const] : [],
  );
  return {
    name,
    startedMs: Date.now(),
    timeoutMs,
    ownNetns: readFileIdentity("/proc/self/ns/net"),
    podNetns: readFileIdentity(env["CNI_NETNS"] ?? ""),
    env: Object.fromEntries(variables),
    stdin,
  };
}

/** Sends a call to the node's agent and waits for the response, at most for the frame's timeout. */
export function callAgent(frame: CniRequestFrame, socketPath: string): Promise<AgentReply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = createConnection(socketPath, () => socket.write(encodeRequest(frame)));
    const finish = (reply: AgentReply): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const timer = setTimeout(() => {
      finish("timeout");
    }, frame.timeoutMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {
      finish("unavailable");
    });
    socket.on("end", () => {
      const reply = decodeResponse(Buffer.concat(chunks));
      finish(reply === undefined || reply.status === FALLBACK_STATUS ? "unavailable" : reply);
    });
  });
}
