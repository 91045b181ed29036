import { $ } from "zx";
import { buildInterlay } from "../../../plugin/deploy/build-executables.ts";
import { parseSnapshot } from "../../../plugin/trace/snapshot.ts";
import { buildTraceModel } from "../../../plugin/trace/walk/build-trace-model.ts";
import { traceConnection } from "../../../plugin/trace/walk/trace-connection.ts";
import { formatServiceRules, SERVICE_COUNT } from "./service-rules.ts";

/** Times in milliseconds. */
export interface ServiceTimes {
  /** From the start of the program that reads the state to the parsed snapshot. */
  readonly collect: number;
  /** The first trace, with the compilation of the rules. */
  readonly firstTrace: number;
}

const NAMESPACE = "interlay-bench-trace";

/** Reads a network namespace with the rules of 5,000 Services several times, as a node without pods. */
export async function measureServices(rounds: number): Promise<readonly ServiceTimes[]> {
  const { full } = await buildInterlay();
  const run = $({ quiet: true, maxBuffer: 1 << 28 });
  await run`ip netns add ${NAMESPACE}`;
  try {
    await run({ input: formatServiceRules(SERVICE_COUNT) })`ip netns exec ${NAMESPACE} iptables-nft-restore`;
    const times: ServiceTimes[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      // An empty directory for other namespaces: those of this machine are not the node's pods.
      const { stdout } =
        await run`ip netns exec ${NAMESPACE} unshare --mount sh -c ${`mount -t tmpfs none /run/netns && NODE_NAME=bench exec ${full} trace --collect`}`;
      const snapshot = parseSnapshot(stdout);
      const collected = performance.now();
      const [node] = snapshot.namespaces;
      if (node === undefined || node.problems.length > 0)
        throw new Error(`the snapshot is not complete: ${node?.problems.join("; ") ?? "no namespace"}`);
      traceConnection(buildTraceModel(snapshot), {
        source: node.id,
        destination: "10.233.0.1",
        protocol: "tcp",
        port: 80,
      });
      times.push({ collect: collected - started, firstTrace: performance.now() - collected });
    }
    return times;
  } finally {
    await run`ip netns delete ${NAMESPACE}`;
  }
}
