import { POD_TYPES, type PodType } from "../../results/schema.ts";
import type { PeerSuiteName } from "./spec-result.ts";

/** A spec that cannot pass with pods of some types, for a reason other than a defect. */
export interface KnownSkip {
  readonly suite: PeerSuiteName;
  readonly podTypes: readonly PodType[];
  /** Part of the spec's full name. */
  readonly spec: string;
  readonly reason: string;
}

/** Returns a skip of a spec of sig-network, or of a kind of them, with pods of all types. */
function toSigNetworkSkip(spec: string, reason: string): KnownSkip {
  return { suite: "sig-network", podTypes: POD_TYPES, spec, reason };
}

/** All specs that the runs skip, each with its reason. Remove an entry when its reason no longer holds. */
export const KNOWN_SKIPS: readonly KnownSkip[] = [
  {
    suite: "sig-network",
    podTypes: ["underlay"],
    spec: "should preserve source pod IP for traffic thru service cluster IP",
    reason: "an underlay pod reaches a Service through its node, which masquerades its address",
  },
  {
    suite: "sig-network",
    podTypes: ["underlay"],
    spec: "ready endpoints with externalTrafficPolicy=Local",
    reason: "kube-proxy treats an underlay pod that asks a NodePort of its own node as an external client",
  },
  toSigNetworkSkip(
    "should drop INVALID conntrack entries",
    "the image regression-issue-74839 is not available as source",
  ),
  toSigNetworkSkip("should set TCP CLOSE_WAIT timeout", "the image distroless-iptables is not built here"),
  toSigNetworkSkip(
    "should be able to preserve UDP traffic when initial unready endpoints get ready",
    "the image busybox is not built here",
  ),
  {
    suite: "cyclonus",
    podTypes: ["underlay"],
    spec: "by pod to same source",
    reason: "an underlay pod reaches a Service through its node, which masquerades its address: no selector finds it",
  },
];

/** Kinds of specs that no run contains, each found by a part of their names. */
const EXCLUDED_KINDS: readonly KnownSkip[] = [
  toSigNetworkSkip("[Disruptive]", "restarts or breaks parts of the cluster"),
  toSigNetworkSkip("[Serial]", "cannot run at the same time as other specs"),
  toSigNetworkSkip("[Slow]", "takes minutes"),
  toSigNetworkSkip("[Feature:NetworkPolicy]", "cyclonus tests NetworkPolicy"),
  toSigNetworkSkip("[Feature:", "needs a feature or an add-on that the cluster does not have"),
  toSigNetworkSkip("[Provider:", "needs a cloud"),
  toSigNetworkSkip("[sig-network] LoadBalancers", "needs a load balancer of a cloud"),
];

/** Returns the entries for a suite with every pod of one type, and the kinds of specs that no run contains. */
export function findKnownSkips(
  suite: PeerSuiteName,
  podType: PodType,
  known: readonly KnownSkip[],
): readonly KnownSkip[] {
  return [...known, ...EXCLUDED_KINDS].filter((entry) => entry.suite === suite && entry.podTypes.includes(podType));
}
