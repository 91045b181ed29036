import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import type { Paths } from "../../cni/paths.ts";
import type { Allocator } from "../../ipam/allocator/allocator.ts";
import { executeIpam, type AskAgent, toAgentRequest } from "../../ipam/main.ts";
import type { AgentMetrics } from "../status/agent-metrics.ts";
import { CNI_SOCKET, serveCni } from "./cni-server.ts";
import type { PodEvents } from "../status/pod-events.ts";
import { serveHealth } from "./health-server.ts";
import { answerIpam as answerAddress, type IpamListener, serveIpam } from "./ipam-server.ts";
import { writeLog } from "../status/log.ts";

/** What the agent's servers answer with. */
export interface ServerDependencies {
  readonly allocator: Allocator;
  readonly plugin: Paths;
  readonly runDirectory: string;
  readonly events: PodEvents;
  readonly metrics: AgentMetrics;
  /** Why pods cannot be wired on this node; empty: they can. */
  readonly notReady: () => readonly string[];
  readonly metricsText: () => string;
}

/**
 * Health and metrics, then the plugins' calls, then addresses. The port before the sockets: while two agents are on the node, the
 * one that comes waits here until the other has gone.
 */
export async function startServers(served: ServerDependencies): Promise<readonly (Server | SocketServer)[]> {
  const { allocator, runDirectory, plugin } = served;
  const listener = createIpamListener(served);
  const ask: AskAgent = (verb, request) =>
    answerAddress(allocator, verb, () => Promise.resolve(toAgentRequest(request)), listener);
  return [
    await serveHealth(served.notReady, served.metricsText),
    await serveCni({
      path: join(runDirectory, CNI_SOCKET),
      places: plugin,
      ipam: (env, stdin) => executeIpam(env, stdin, "agent", ask, plugin),
    }),
    await serveIpam(allocator, listener, join(runDirectory, "agent.sock")),
  ];
}

function createIpamListener({ events, metrics }: ServerDependencies): IpamListener {
  return {
    refused: (pod, message) => {
      writeLog("warn", "no address given", { pod, message });
      void events.warn(pod, "NoUnderlayAddress", message);
    },
    answered: (verb, duration, ok) => {
      metrics.recordIpamRequest(verb, duration, ok);
    },
  };
}
