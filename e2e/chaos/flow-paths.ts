import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import type { AddressRef, Nic } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { podName, buildServiceName } from "../pods/suite-pods.ts";
import { TCP_PORT, UDP_PORT } from "../probe/protocol.ts";
import type { PodType } from "../../results/schema.ts";

/** The path of a flow: from a pod of the first worker by one address to a server. */
export interface FlowPath {
  readonly what: string;
  readonly from: string;
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  /** Whether the node translates its addresses: a flush of conntrack then ends it, with any CNI plugin. */
  readonly translated: boolean;
  /** Whether the server is a pod of the same node. */
  readonly local: boolean;
}

interface PathKind {
  readonly from: PodType;
  readonly to: PodType;
  readonly nic?: Nic;
  readonly where: "same" | "other";
  readonly service?: true;
  readonly translated?: true;
}
const KINDS: readonly PathKind[] = [
  { from: "underlay", to: "overlay", where: "other" },
  { from: "underlay", to: "multi-nic", where: "other" },
  { from: "overlay", to: "overlay", where: "other" },
  { from: "multi-nic", to: "underlay", where: "other" },
  // Calico's natOutgoing
  { from: "overlay", to: "underlay", where: "other", translated: true },
  { from: "overlay", to: "multi-nic", nic: "net1", where: "same", translated: true },
  // translated by kube-proxy on the client's node
  { from: "underlay", to: "overlay", where: "other", service: true, translated: true },
  { from: "overlay", to: "underlay", where: "other", service: true, translated: true },
  { from: "multi-nic", to: "multi-nic", where: "other", service: true, translated: true },
];

/** Returns each kind of path by TCP and by UDP, in each family. */
export function listFlowPaths(deployment: Deployment): readonly FlowPath[] {
  return deployment.families.flatMap((family) =>
    KINDS.flatMap((kind) =>
      (["tcp", "udp"] as const).map((protocol) => toFlowPath(deployment, kind, protocol, family)),
    ),
  );
}

function toFlowPath(deployment: Deployment, kind: PathKind, protocol: "tcp" | "udp", family: IpFamily): FlowPath {
  const { from, to, nic = "main", where, service, translated = false } = kind;
  const node = where === "same" ? 0 : 1;
  const target: AddressRef =
    service === undefined
      ? { kind: "pod", pod: podName(to, node, "b"), nic }
      : { kind: "service", service: buildServiceName(to, node) };
  const port = protocol === "udp" ? UDP_PORT : TCP_PORT;
  const targetName = `${service === undefined ? "" : "the Service of "}${to}${nic === "net1" ? "'s net1" : ""}`;
  return {
    what: `${from} -> ${targetName} on the ${where} node, ${protocol}, ${family}`,
    from: podName(from, 0, "a"),
    protocol,
    translated,
    local: where === "same",
    ...deployment.locate({ to: target, protocol, port, family }),
  };
}
