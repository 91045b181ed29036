import { POD_TYPES } from "../../results/schema.ts";
import {
  buildBalancedName,
  buildLocalFirstName,
  NODE_PORT_BACKEND,
  buildNodePortName,
  podName,
  buildServiceName,
  type TrafficPolicy,
} from "../pods/suite-pods.ts";
import { type Cell, type Draft, listPlacements, makeCell, type Placement } from "./cell.ts";

const TRANSPORTS = ["tcp", "udp"] as const;

/** A client pod on worker `sourceNode` that probes a target on worker `targetNode`. */
interface ClientPod extends Pick<Draft, "source" | "from"> {
  readonly sourceNode: number;
  readonly targetNode: number;
  readonly placement: Placement;
}

/** Returns each client pod twice: with a target on its own node, and with one on another node. */
function listClientPods(workers: number): readonly ClientPod[] {
  return Array.from({ length: workers }, (_, node) => node).flatMap((sourceNode) =>
    POD_TYPES.flatMap((source) =>
      listPlacements(sourceNode, workers).map(([targetNode, placement]) => ({
        source,
        from: podName(source, sourceNode, "a"),
        sourceNode,
        targetNode,
        placement,
      })),
    ),
  );
}

/**
 * Returns cells from each pod to the NodePort of its own node and of another node. The Services of a type have one endpoint, on the
 * first worker: with policy Local the other nodes have none.
 */
export function listPodNodePortCells(workers: number): readonly Cell[] {
  return (["Cluster", "Local"] as const).flatMap((policy) =>
    listClientPods(workers).flatMap(({ targetNode, ...client }) =>
      POD_TYPES.flatMap((type) =>
        TRANSPORTS.map((protocol) =>
          makeCell({
            ...client,
            group: policy === "Local" ? "pod-to-node-port-local" : "pod-to-node-port-cluster",
            target: `${type}-node-port`,
            to: { kind: "node-port", service: nameNodePortService(type, policy), node: targetNode },
            protocol,
            server: podName(type, NODE_PORT_BACKEND, "b"),
            reaches: { type, node: NODE_PORT_BACKEND, nic: "main" },
          }),
        ),
      ),
    ),
  );
}

const nameNodePortService = (type: (typeof POD_TYPES)[number], policy: TrafficPolicy): string =>
  policy === "Local" ? buildLocalFirstName(type) : buildNodePortName(type, policy);

/** Returns cells from each pod to a Service on its own and on another node by the Service's DNS name. */
export function listDnsCells(workers: number): readonly Cell[] {
  return listClientPods(workers).flatMap(({ targetNode, ...client }) =>
    POD_TYPES.flatMap((type) =>
      TRANSPORTS.map((protocol) =>
        makeCell({
          ...client,
          group: "dns",
          target: `${type}-service`,
          to: { kind: "service", service: buildServiceName(type, targetNode), byName: true },
          protocol,
          server: podName(type, targetNode, "b"),
          reaches: { type, node: targetNode, nic: "main" },
        }),
      ),
    ),
  );
}

/** Returns cells from each pod to the virtual addresses of a Service that its own node holds, and to those of another node. */
export function listVipCells(workers: number): readonly Cell[] {
  return listClientPods(workers).flatMap(({ targetNode, ...client }) =>
    POD_TYPES.flatMap((type) =>
      (["load-balancer", "external-ip"] as const).flatMap((source) =>
        TRANSPORTS.map((protocol) =>
          makeCell({
            ...client,
            group: "vip",
            target: `${type}-vip`,
            to: { kind: "vip", service: buildBalancedName(type, targetNode), node: targetNode, source },
            protocol,
            server: podName(type, NODE_PORT_BACKEND, "b"),
            reaches: { type, node: NODE_PORT_BACKEND, nic: "main" },
          }),
        ),
      ),
    ),
  );
}

/** Returns cells from each pod to the host port of a pod of each type on its own and on another node. */
export function listHostPortCells(workers: number): readonly Cell[] {
  return listClientPods(workers).flatMap(({ targetNode, ...client }) =>
    POD_TYPES.flatMap((type) =>
      TRANSPORTS.map((protocol) => {
        const pod = podName(type, targetNode, "b");
        return makeCell({
          ...client,
          group: "host-port",
          target: `${type}-host-port`,
          to: { kind: "host-port", pod, node: targetNode },
          protocol,
          server: pod,
          reaches: { type, node: targetNode, nic: "main" },
        });
      }),
    ),
  );
}
