import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import type { Paths } from "../../cni/paths.ts";
import type { Allocator } from "../../ipam/allocator.ts";
import { executeIpam, type AskAgent, toAgentRequest } from "../../ipam/main.ts";
import type { AgentMetrics } from "../status/agent-metrics.ts";
import { CALL_SOCKET, serveCalls } from "./cni-server.ts";
import type { PodEvents } from "../status/pod-events.ts";
import { serveHealth } from "./health-server.ts";
import { answerIpam as answerAddress, type IpamListener, serveIpam } from "./ipam-server.ts";
import { log } from "../status/log.ts";

/** What the agent's servers answer with. */
export interface Served {
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
export async function serveAll(served: Served): Promise<readonly (Server | SocketServer)[]> {
  const { allocator, runDirectory, plugin } = served;
  const listener = listenerOf(served);
  const ask: AskAgent = (verb, request) =>
    answerAddress(allocator, verb, () => Promise.resolve(toAgentRequest(request)), listener);
  return [
    await serveHealth(served.notReady, served.metricsText),
    await serveCalls({
      path: join(runDirectory, CALL_SOCKET),
      places: plugin,
      ipam: (env, stdin) => executeIpam(env, stdin, "agent", ask, plugin),
    }),
    await serveIpam(allocator, listener, join(runDirectory, "agent.sock")),
  ];
}

function listenerOf({ events, metrics }: Served): IpamListener {
  return {
    refused: (pod, message) => {
      log("warn", "no address given", { pod, message });
      void events.warn(pod, "NoUnderlayAddress", message);
    },
    answered: (verb, duration, ok) => {
      metrics.ipamAnswered(verb, duration, ok);
    },
  };
}
