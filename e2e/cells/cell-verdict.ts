import type { Environment } from "../../clusters/spec/environment.ts";
import type { Cell } from "./cell.ts";
import { getEnvironment } from "./get-environment.ts";
import {
  type Expectation,
  decideExpectation,
  decideKubeProxyVerdict,
  isAsymmetric,
  type Variant,
  type Verdict,
} from "./gate.ts";
import { isPodTraffic, getNetworkSettings } from "./network-settings.ts";

/**
 * Returns the expected result of a cell in a variant. Attacks, cells that the environment makes impossible and cells that cannot
 * pass in any configuration are blocked; kube-proxy's rule for INVALID packets decides about the others (gate.ts).
 */
export function decideVerdict(variant: Variant, cell: Cell): Verdict {
  if (cell.attack !== undefined) return { expected: "blocked", by: "guard", reason: ATTACK_REASONS[cell.attack.kind] };
  const environment = getEnvironment(variant);
  const impossible = environment.impossible?.find(({ cells }) => cells(cell));
  if (impossible !== undefined) return { expected: "blocked", by: "environment", reason: impossible.reason };
  const designReason = findDesignReason(variant, cell);
  if (designReason !== undefined) return { expected: "blocked", by: "design", reason: designReason };
  if (dropsInvalid(environment))
    return isAsymmetric(cell) && variant.returnPath !== "notrack"
      ? {
          expected: "blocked",
          by: "environment",
          reason: "a rule in the FORWARD chain of the source's node drops the ACK as INVALID",
        }
      : { expected: "pass" };
  return hasKubeProxy(environment) ? decideKubeProxyVerdict(variant, cell) : { expected: "pass" };
}

/** Returns the expected state of kube-proxy and the sysctl on the nodes of a variant. */
export function findExpectation(variant: Variant): Expectation {
  const expectation = decideExpectation(variant);
  return hasKubeProxy(getEnvironment(variant))
    ? expectation
    : { ...expectation, invalidDropRule: false, reason: "no kube-proxy runs that could write the rule" };
}

function hasKubeProxy({ spec }: Environment): boolean {
  return spec.kubeProxy?.installed !== false;
}

/** Whether a rule of the environment drops INVALID packets, whatever kube-proxy does. */
function dropsInvalid({ spec }: Environment): boolean {
  return spec.nodes?.iptables?.some((argv) => argv.includes("INVALID") && argv.includes("DROP")) ?? false;
}

/** Why each attack is blocked. */
const ATTACK_REASONS = {
  "spoofed-source":
    "Interlay drops packets that enter the node by a pod's link and have a source address that is not the pod's",
  "node-as-router":
    "the node forwards packets from a pod's link only to destinations of the plan; its FORWARD chain drops all others",
} as const;

/** Whether a pod probes a Service with externalTrafficPolicy Local on a node without an endpoint. */
export function lacksLocalEndpoint({ group, to, reaches }: Cell): boolean {
  return group === "pod-to-node-port-local" && to.kind === "node-port" && reaches?.node !== to.node;
}

/** Returns why a cell cannot pass in any configuration; undefined if it can. See docs/limitations.md. */
function findDesignReason(variant: Variant, cell: Cell): string | undefined {
  if (!lacksLocalEndpoint(cell)) return undefined;
  const settings = getNetworkSettings(variant, cell.family);
  const isSameNode = cell.placement === "same-node";
  if (isPodTraffic(settings.podTraffic, getSourceNetwork(cell, isSameNode, settings.natOutgoing), isSameNode) !== true)
    return "the node has no endpoint of the Service, whose externalTrafficPolicy is Local: kube-proxy drops packets whose source it does not recognize as a pod of the cluster";
  return isSameNode
    ? undefined
    : "the node has no endpoint of the Service, whose externalTrafficPolicy is Local: kube-proxy recognizes the source as a pod and forwards the connection without masquerade to an endpoint of another node, which answers the client directly";
}

/** Returns the network of the source address with which a pod's packets reach the node with the destination address. */
function getSourceNetwork(
  { source }: Cell,
  isSameNode: boolean,
  natOutgoing: boolean | undefined,
): "overlay" | "underlay" | "node" {
  if (source === "underlay") return "underlay";
  if (source === "multi-nic") return isSameNode ? "overlay" : "underlay";
  return isSameNode || natOutgoing === false ? "overlay" : "node";
}
