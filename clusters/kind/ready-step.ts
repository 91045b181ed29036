import { waitUntilReady } from "../kubernetes/wait-until-ready.ts";
import type { Step } from "./step.ts";

const WORKLOADS = [
  ["kube-system", "daemonset/calico-node"],
  ["kube-system", "daemonset/multus"],
  ["kube-system", "daemonset/kube-proxy"],
  ["kube-system", "deployment/coredns"],
  ["kube-system", "deployment/calico-kube-controllers"],
  ["interlay-system", "daemonset/interlay"],
  ["interlay-system", "deployment/interlay-controller"],
] as const;

/** Waits until every node is Ready and every pod of the workloads is ready. */
export const readyStep: Step = {
  title: () => "wait until every node and workload is ready",
  do: ({ kubectl }) => waitUntilReady(kubectl, WORKLOADS),
};
