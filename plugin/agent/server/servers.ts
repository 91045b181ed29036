import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import type { Paths } from "../../cni/plugin-paths.ts";
import type { Allocator } from "../../ipam/allocator/allocator.ts";
import { CNI_SOCKET } from "../../cni/protocol/cni-protocol.ts";
import { executeIpam, type IpamListener } from "../../ipam/execute-ipam.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import type { AgentMetrics } from "../status/agent-metrics.ts";
import { serveCni } from "./cni-server.ts";
import type { EventRecorder } from "../status/event-recorder.ts";
import { serveHealth } from "./health-server.ts";
import { serveMetrics } from "./metrics-server.ts";
import { ScrapeAuthorizer } from "./scrape-authorizer.ts";
import type { ServerSettings } from "./server-settings.ts";
import { writeLog } from "../status/agent-log.ts";

/** Objects that the agent's servers use. */
interface ServerDependencies {
  readonly allocator: Allocator;
  readonly plugin: Paths;
  readonly runDirectory: string;
  readonly events: EventRecorder;
  readonly metrics: AgentMetrics;
  /** Called for each IPAM call, to end the delay of the agent's first list requests. */
  readonly needLists: () => void;
  /** Lists the reasons why pods cannot be attached on this node; empty if they can. */
  readonly notReady: () => readonly string[];
  /** Lists the loops that do not progress. */
  readonly listStalls: () => readonly string[];
  readonly kube: KubeClient;
  readonly settings: ServerSettings;
}

const LOOPBACK = "127.0.0.1";

/**
 * Starts the servers: health and metrics, then CNI calls. During an update two agents run on the node; the new one waits for the port
 * of the old one before it replaces the socket, but not longer than an agent takes to end.
 */
export async function startServers(dependencies: ServerDependencies): Promise<readonly (Server | SocketServer)[]> {
  const { allocator, runDirectory, plugin, metrics, kube, settings } = dependencies;
  const renderText = (): Promise<string> => metrics.renderText();
  const ipam = { allocator, listener: createIpamListener(dependencies), paths: plugin };
  const { healthPort, metrics: listener } = settings;
  const { notReady: listProblems, listStalls } = dependencies;
  return [
    ...(await Promise.all([
      serveHealth({ port: healthPort, host: LOOPBACK, listStalls, listProblems, renderText }),
      ...(listener === undefined ? [] : [serveMetrics(listener, renderText, new ScrapeAuthorizer(kube))]),
    ])),
    await serveCni({
      path: join(runDirectory, CNI_SOCKET),
      paths: plugin,
      ipam: (env, stdin) => {
        dependencies.needLists();
        return executeIpam(env, stdin, ipam);
      },
    }),
  ];
}

function createIpamListener({ events, metrics }: ServerDependencies): IpamListener {
  return {
    refused: (pod, message) => {
      writeLog("warn", "no address given", { pod, message });
      void events.warnOnce(pod, "NoUnderlayAddress", message);
    },
    answered: (verb, duration, ok) => {
      metrics.recordIpamRequest(verb, duration, ok);
    },
  };
}
