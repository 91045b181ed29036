import { POD_TYPES, type PodType } from "../../results/schema.ts";
import type { Nic } from "../cells/cell.ts";
import { podName } from "../pods/suite-pods.ts";

/** A connection that a policy of one of its pods may block. */
interface PolicyPath {
  readonly from: string;
  readonly to: string;
  readonly nic: Nic;
  /** Whether the cluster's policies have an effect on it: the lines of docs/security.md. */
  readonly enforced: boolean;
}

/** A NetworkPolicy that denies everything to or from one pod, and the connections of that pod. */
export interface PolicyLine {
  readonly type: PodType;
  readonly direction: "Ingress" | "Egress";
  /** Names of the pods that the policy selects: the line's pod and that of the control connection. */
  readonly pods: readonly string[];
  readonly paths: readonly PolicyPath[];
}

/** Roles of the pods. */
const [CLIENT, SERVER] = ["a", "b"] as const;

/**
 * A connection of overlay pods on the first worker, which every policy denies too: without it a policy without an effect and one that
 * is not in the kernel yet would be the same.
 */
const CONTROL: PolicyPath = {
  from: podName("overlay", 0, CLIENT),
  to: podName("overlay", 0, SERVER),
  nic: "main",
  enforced: true,
};

/** Lists a line for each pod type and direction; the pod is on the first worker, the others on both. */
export function listPolicyLines(): readonly PolicyLine[] {
  return POD_TYPES.flatMap((type) => [listIngress(type), listEgress(type)]);
}

function listIngress(type: PodType): PolicyLine {
  const pod = podName(type, 0, SERVER);
  const nics: readonly Nic[] = type === "multi-nic" ? ["main", "net1"] : ["main"];
  const paths = nics.flatMap((nic) =>
    POD_TYPES.flatMap((source) =>
      [0, 1].map((node) => ({
        from: podName(source, node, CLIENT),
        to: pod,
        nic,
        // Calico filters at the pod's link to its node. An overlay pod of the same node reaches net1 by that link too.
        enforced: type !== "underlay" && (nic === "main" || (source === "overlay" && node === 0)),
      })),
    ),
  );
  return { type, direction: "Ingress", pods: [pod, CONTROL.to], paths: [CONTROL, ...paths] };
}

function listEgress(type: PodType): PolicyLine {
  const pod = podName(type, 0, CLIENT);
  const paths = POD_TYPES.flatMap((target) =>
    (target === "multi-nic" ? (["main", "net1"] as const) : (["main"] as const)).flatMap((nic) =>
      [0, 1].map((node) => ({
        from: pod,
        to: podName(target, node, SERVER),
        nic,
        // A multi-NIC pod sends to underlay addresses by net1.
        enforced: type === "overlay" || (type === "multi-nic" && target !== "underlay" && nic === "main"),
      })),
    ),
  );
  return { type, direction: "Egress", pods: [pod, CONTROL.from], paths: [CONTROL, ...paths] };
}
