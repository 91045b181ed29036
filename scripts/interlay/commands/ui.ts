import { Command } from "commander";
import { findNamespace, selectAddress } from "../../../plugin/trace/tell/find-endpoint.ts";
import { renderTrace } from "../../../plugin/trace/tell/render-trace.ts";
import { buildTraceModel } from "../../../plugin/trace/walk/build-trace-model.ts";
import { traceConnection } from "../../../plugin/trace/walk/trace-connection.ts";
import { serveUntilSignal } from "../../report/serve-until-signal.ts";
import { addClusterOptions, type ClusterFlags, loadCluster } from "../program/common-options.ts";
import { parsePort } from "../program/parse-port.ts";
import { connectCluster, type TracedCluster } from "./trace/connect-cluster.ts";
import { readClusterView } from "./ui/cluster-view.ts";
import { startUiServer } from "./ui/ui-server.ts";

/** `interlay ui`: serves a page of the cluster on this computer's loopback address until it is interrupted. */
export function createUiCommand(): Command {
  const command = new Command("ui")
    .description("serve a page of the cluster: nodes, pools, pods, and traces between pods, until it is interrupted")
    .option("--port <number>", "TCP port on 127.0.0.1; 0: any free one", parsePort, 8081)
    .addHelpText("after", "\nExample:\n  interlay ui --context staging");
  return addClusterOptions(command).action(runUi);
}

async function runUi({ port, ...flags }: ClusterFlags & { readonly port: number }): Promise<void> {
  const config = await loadCluster(flags);
  const cluster = await connectCluster({ ...flags, name: "" });
  const source = {
    readView: () => readClusterView(config),
    tracePods: (from: string, to: string, target: number) => tracePods(cluster, from, to, target),
  };
  await source.readView(); // an API server that does not answer is reported here
  const server = await startUiServer(source, port);
  await serveUntilSignal(server, (url) => process.stdout.write(`${url}\n`));
}

async function tracePods(cluster: TracedCluster, from: string, to: string, port: number): Promise<string> {
  const snapshot = await cluster.collect();
  const trace = traceConnection(buildTraceModel(snapshot), {
    source: findNamespace(snapshot, from, "default").id,
    destination: selectAddress(findNamespace(snapshot, to, "default"), "ipv4"),
    protocol: "tcp",
    port,
  });
  const names = new Map(snapshot.namespaces.map(({ id, name }) => [id, name]));
  return renderTrace(trace, { names, allRules: false });
}
