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
 * Returns the expected result of a cell in a variant: attacks, cells that the environment makes impossible and cells that no
 * configuration lets pass are blocked; the gate decides the others.
 */
export function decideVerdict(variant: Variant, cell: Cell): Verdict {
  if (cell.attack !== undefined) return { expected: "blocked", by: "guard", reason: GUARDED[cell.attack.kind] };
  const environment = getEnvironment(variant);
  const impossible = environment.impossible?.find(({ cells }) => cells(cell));
  if (impossible !== undefined) return { expected: "blocked", by: "environment", reason: impossible.reason };
  const design = reasonByDesign(variant, cell);
  if (design !== undefined) return { expected: "blocked", by: "design", reason: design };
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

const GUARDED = {
  "spoofed-source": "Interlay drops what enters the node by a pod's link with another source address than the pod's",
  "node-as-router":
    "the node forwards from a pod's link only what the plan routes there; its FORWARD chain drops the rest",
} as const;

/** Whether a pod probes a Service with externalTrafficPolicy Local on a node without an endpoint. */
export function lacksLocalEndpoint({ group, to, reaches }: Cell): boolean {
  return group === "pod-to-node-port-local" && to.kind === "node-port" && reaches?.node !== to.node;
}

/** Returns why a cell cannot pass in any network; undefined if it can. See docs/limitations.md. */
function reasonByDesign(variant: Variant, cell: Cell): string | undefined {
  if (!lacksLocalEndpoint(cell)) return undefined;
  const settings = getNetworkSettings(variant, cell.family);
  const ownNode = cell.placement === "same-node";
  if (isPodTraffic(settings.podTraffic, getSourceNetwork(cell, ownNode, settings.natOutgoing), ownNode) !== true)
    return "the node has no endpoint of the Service, whose externalTrafficPolicy is Local: kube-proxy drops what it does not take for traffic of a pod of the cluster";
  return ownNode
    ? undefined
    : "the node has no endpoint of the Service, whose externalTrafficPolicy is Local: kube-proxy takes the connection for a pod's and sends it without masquerade to an endpoint of another node, which answers the client directly";
}

/** Returns the network of the source address with which a pod's packets reach the node with the destination address. */
function getSourceNetwork(
  { source }: Cell,
  ownNode: boolean,
  natOutgoing: boolean | undefined,
): "overlay" | "underlay" | "node" {
  if (source === "underlay") return "underlay";
  if (source === "multi-nic") return ownNode ? "overlay" : "underlay";
  return ownNode || natOutgoing === false ? "overlay" : "node";
}
