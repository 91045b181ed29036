import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";
import { findNetns } from "../agent/streams.ts";
import type { Deployment } from "../deployment/deploy.ts";

interface EvidenceFaultContext {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
}

/** A fault, the cells that it breaks, and the hop that the report must name. */
interface EvidenceFault {
  readonly title: string;
  /** Index of the worker with the fault; its agent is stopped during the fault, and repairs it afterwards. */
  readonly worker: number;
  make(context: EvidenceFaultContext): Promise<unknown>;
  /** Ids of cells, each with the part of its reason that names the hop. */
  readonly shown: Readonly<Record<string, RegExp>>;
  /** Message of the doctor for at least one of them. */
  readonly cause: RegExp;
}

const getWorker = ({ deployment }: EvidenceFaultContext, worker: number): string => deployment.workers[worker] ?? "";

export const EVIDENCE_FAULTS: readonly EvidenceFault[] = [
  {
    title: "a multi-NIC pod's source rule is missing: its reply leaves by net1",
    worker: 1,
    make: async (context) => {
      const node = getWorker(context, 1);
      const address = context.deployment.getAddress("multi-nic-2-b", "main");
      const netns = await findNetns(context.cluster, node, address);
      return runOnNode(context.cluster, node, ["nsenter", `--net=${netns}`, "ip", "rule", "delete", "from", address]);
    },
    shown: {
      "matrix/underlay-1-a/multi-nic-2-b/other-node/tcp":
        /the reply was at multi-nic-2-b net1 out, expected multi-nic-2-b eth0 out/,
      "matrix/underlay-1-a/multi-nic-2-b/other-node/udp":
        /the reply was at multi-nic-2-b net1 out, expected multi-nic-2-b eth0 out/,
    },
    cause: /rule/,
  },
  {
    title: "an underlay pod's host route is missing: its node does not forward packets to it",
    worker: 0,
    make: (context) => {
      const route = `${context.deployment.getAddress("underlay-1-b", "main")}/32`;
      return runOnNode(context.cluster, getWorker(context, 0), ["ip", "route", "delete", route]);
    },
    shown: {
      "matrix/overlay-1-a/underlay-1-b/same-node/tcp":
        /the request was last seen at node-1 cali in, and not at node-1 veth out/,
      "matrix/overlay-1-a/underlay-1-b/same-node/udp":
        /the request was last seen at node-1 cali in, and not at node-1 veth out/,
    },
    cause: /route/,
  },
  {
    title: "the notrack table is missing: kube-proxy drops the ACK as INVALID where it enters the node",
    worker: 0,
    make: (context) =>
      runOnNode(context.cluster, getWorker(context, 0), ["nft", "delete", "table", "inet", "interlay"]),
    shown: {
      "matrix/underlay-1-a/overlay-2-b/other-node/tcp":
        /the request was last seen at node-1 veth in, and not at node-1 vxlan out/,
    },
    cause: /INVALID/,
  },
];
