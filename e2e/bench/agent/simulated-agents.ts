/**
 * Process of simulated agents. Each has an agent's connection to the API server and its watches. Runs under Bun. Reads the settings,
 * writes "ready" once all kinds of all agents are listed, then the counts for each further line, until its input ends.
 */
import { createInterface } from "node:readline";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { ClusterCache } from "../../../plugin/agent/discovery/cluster-cache.ts";
import { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { FetchTransport } from "../../../plugin/kubernetes/fetch-transport.ts";
import { Http2Transport } from "../../../plugin/kubernetes/http2-transport.ts";
import type { Transport } from "../../../plugin/kubernetes/transport.ts";
import { type AgentCounts, agentSettings } from "./simulated-fleet.ts";

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const firstLine = await lines.next();
const settings = agentSettings.parse(JSON.parse(String(firstLine.value)));
let [events, eventBytes] = [0, 0];

/** Counts events that are not bookmarks: those depend on the time alone. */
function countEvents(transport: Transport): Transport {
  return {
    get received() {
      return transport.received;
    },
    send: (request) => transport.send(request),
    watch: (path, { changed, ended }) =>
      transport.watch(path, {
        ended,
        changed: (type, object) => {
          if (type !== "BOOKMARK") {
            events++;
            eventBytes += JSON.stringify({ type, object }).length;
          }
          changed(type, object);
        },
      }),
  };
}

const clients = await Promise.all(
  settings.nodes.map(async (node) => {
    const config = loadKubeConfig(settings);
    const transport = new Http2Transport(config, { fallback: new FetchTransport(config) });
    const kube = new KubeClient(config, countEvents(transport));
    const cache = new ClusterCache(kube, node);
    cache.start(() => undefined);
    await cache.waitUntilReady();
    return kube;
  }),
);
const send = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};
send("ready");
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const counts: AgentCounts = {
    requests: clients.reduce((sum, kube) => sum + kube.counts.requests, 0),
    events,
    eventBytes,
  };
  send(counts);
}
process.exit(0);
