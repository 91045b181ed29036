import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { publishedText } from "../../plugin/kubernetes/status-schemas.ts";
import { runOnNode, signalAgent } from "../support/agent-process.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import type { TestRun } from "../support/test-run.ts";
import { By, DeferCleanup } from "../harness.ts";
import type { Nic } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { switchVariant } from "../deployment/variant.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { type StreamEnd, findNetns } from "./streams.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Variant in which every cell passes with kube-proxy's INVALID rule. */
export const NOTRACK: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

const nodeState = z.object({
  status: z.object({
    returnPath: z.object({ mode: publishedText, chosenBecause: z.string() }),
    gate: z.object({ open: z.boolean(), reason: z.string() }),
    tcpBeLiberal: z.number(),
    // A kube-proxy that has just ended has no version.
    kubeProxy: z.object({
      version: publishedText,
      mode: publishedText,
      invalidDropRule: z.boolean(),
    }),
    facts: z.object({ serviceCidrs: z.array(z.string()), sources: z.record(z.string(), z.string()) }),
    attachments: z.number(),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() })),
  }),
});
type NodeStatus = z.infer<typeof nodeState>["status"];

/** The pods of the three types in a cluster, and functions to inspect them. */
export interface AgentFixture {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  readonly deployment: Deployment;
  /** The workers' names. */
  readonly nodes: readonly [first: string, second: string];
  /** Runs a program on a node. @throws an error with its stderr if it fails */
  readonly execOnNode: (node: string, ...argv: readonly string[]) => Promise<string>;
  /** Finds the network namespace of a pod and the address of its NIC; `main` by default. */
  readonly findStreamEnd: (pod: string, nic?: Nic) => Promise<StreamEnd>;
  /** Whether a pod's probe of an address is answered within 1.5 s; by TCP by default. */
  readonly canReach: (from: string, address: string, protocol?: "tcp" | "udp") => Promise<boolean>;
  /** Returns the status that the node's agent reports. */
  readonly readNodeStatus: (node: string) => Promise<NodeStatus>;
  /** Stops a node's agent until the spec ends. */
  readonly holdAgent: (node: string) => Promise<void>;
}

/** Deploys the pods of the three types. Must be called in BeforeAll. */
export async function setupAgentFixture(run: TestRun): Promise<AgentFixture> {
  const { cluster, api, deployment } = await setupDeployment(run, ["socat", "procps"]);
  await By("kube-proxy v1.29, notrack", () => switchVariant(cluster, NOTRACK));
  const [first = "", second = ""] = deployment.workers;
  return {
    cluster,
    api,
    deployment,
    nodes: [first, second],
    execOnNode: (node, ...argv) => runOnNode(cluster, node, argv),
    findStreamEnd: async (pod, nic = "main") => {
      const node = deployment.pods.get(pod)?.node ?? "";
      const address = deployment.getAddress(pod, nic);
      return { node, address, netns: await findNetns(cluster, node, address) };
    },
    canReach: async (from, address, protocol = "tcp") => {
      const prober = await deployment.getProber(from);
      return (await prober.probe({ protocol, address, port: TCP_PORT, timeoutMs: 1500 })).ok;
    },
    readNodeStatus: async (node) =>
      nodeState.parse(
        await api.objects.read({ apiVersion: GROUP_VERSION, kind: "NodeState", metadata: { name: node } }),
      ).status,
    holdAgent: async (node) => {
      await signalAgent(cluster, node, "STOP");
      DeferCleanup(() => signalAgent(cluster, node, "CONT"));
    },
  };
}
