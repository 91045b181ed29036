import { readFile, writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { DEFAULT_SPEC } from "../../../clusters/spec/cluster-spec.ts";
import { parseSnapshot, type TraceSnapshot } from "../../../plugin/trace/snapshot.ts";
import { findNamespace, parseTarget, selectAddress } from "../../../plugin/trace/tell/find-endpoint.ts";
import { findRemedy } from "../../../plugin/trace/tell/find-remedy.ts";
import { renderTrace } from "../../../plugin/trace/tell/render-trace.ts";
import type { TraceRequest } from "../../../plugin/trace/trace.ts";
import { buildTraceModel } from "../../../plugin/trace/walk/build-trace-model.ts";
import { traceConnection } from "../../../plugin/trace/walk/trace-connection.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";
import { connectCluster, type TracedCluster } from "./trace/connect-cluster.ts";

export interface TraceFlags extends ClusterFlags {
  readonly protocol: TraceRequest["protocol"];
  readonly family: "ipv4" | "ipv6";
  readonly snapshot?: string;
  readonly save?: string;
  readonly provider?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly allRules?: true;
  readonly output: OutputFormat;
}

/** `interlay trace`: computes a packet's path from the kernels' state, without sending a packet. */
export function createTraceCommand(): Command {
  const command = new Command("trace")
    .description("compute the path of a connection, and which rule or route decides, without sending packets")
    .argument("<source>", "pod (NAMESPACE/NAME), node or address of the client")
    .argument(
      "<target>",
      "pod, Service, node or address, with its port: ADDRESS:PORT, [IPV6]:PORT, NAMESPACE/NAME:PORT",
    )
    .addOption(new Option("--protocol <name>", "protocol").choices(["tcp", "udp", "icmp"]).default("tcp"))
    .addOption(
      new Option("--family <family>", "family of the address, for a target with a name")
        .choices(["ipv4", "ipv6"])
        .default("ipv4"),
    )
    .option("--all-rules", "also print rules that only lead to others, accept, or set a mark")
    .option("--snapshot <file>", "use a saved state instead of reading the cluster")
    .option("--save <file>", "also save the state that was read, without secrets")
    .addOption(
      new Option("--provider <name>", "read the nodes of a cluster of `interlay cluster up` directly").choices([
        "kind",
        "lab",
      ]),
    )
    .option("--name <name>", "with --provider: name of the cluster", DEFAULT_SPEC.name)
    .addHelpText(
      "after",
      `
Exit status: 0 every path passes, 1 one does not or cannot be decided, 2 the state could not be read.

Examples:
  interlay trace default/web 10.233.0.10:53 --protocol udp
  interlay trace node-1 default/db:5432 --save state.json
  interlay trace default/web default/db:5432 --snapshot state.json -o json`,
    );
  return addGlobalOptions(addClusterOptions(command), ["namespace", "output"]).action(runTrace);
}

async function runTrace(source: string, targetText: string, flags: TraceFlags): Promise<void> {
  const cluster = flags.snapshot === undefined ? await connectCluster(flags) : undefined;
  const snapshot = await readState(flags, cluster);
  const target = parseTarget(targetText);
  if (target.port === undefined && flags.protocol !== "icmp")
    throw new Error(`invalid target "${targetText}": ${flags.protocol} needs a port, as in ${target.host}:80`);
  const { namespace = "default" } = flags;
  const request = {
    source: findNamespace(snapshot, source, namespace).id,
    ...(await resolveHost(target.host, namespace, flags.family, snapshot, cluster)),
    protocol: flags.protocol,
    port: flags.protocol === "icmp" ? 0 : (target.port ?? 0),
  };
  const trace = traceConnection(buildTraceModel(snapshot), request);
  const names = new Map(snapshot.namespaces.map(({ id, name }) => [id, name]));
  const remedies = trace.paths.map(({ failure }) => (failure === undefined ? null : (findRemedy(failure) ?? null)));
  for (const { name, problems } of snapshot.namespaces)
    for (const problem of problems) process.stderr.write(`${name}: ${problem}\n`);
  printOutput(flags.output, { ...trace, remedies }, () =>
    renderTrace(trace, { names, allRules: flags.allRules ?? false }),
  );
  if (trace.verdict !== "pass") process.exitCode = 1;
}

async function readState(flags: TraceFlags, cluster: TracedCluster | undefined): Promise<TraceSnapshot> {
  const snapshot =
    cluster === undefined ? parseSnapshot(await readFile(flags.snapshot ?? "", "utf8")) : await cluster.collect();
  if (flags.save !== undefined) await writeFile(flags.save, `${JSON.stringify(snapshot)}\n`, { mode: 0o600 });
  return snapshot;
}

/** Returns the address of a target: the given address, a Service's ClusterIP, or the address of a node or pod. */
async function resolveHost(
  host: string,
  namespace: string,
  family: "ipv4" | "ipv6",
  snapshot: TraceSnapshot,
  cluster: TracedCluster | undefined,
): Promise<Pick<TraceRequest, "destination" | "service">> {
  if (/^[\d.]+$/.test(host) || host.includes(":")) return { destination: host };
  const service = host.includes("/") ? host : `${namespace}/${host}`;
  const address = await cluster?.findService(service, family);
  if (address !== undefined) return { destination: address, service };
  return { destination: selectAddress(findNamespace(snapshot, host, namespace), family) };
}
