import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { retryOnServerError, type ClusterApi } from "../../support/cluster-api.ts";
import { TCP_PORT, UDP_PORT } from "../../probe/protocol.ts";
import { type ScaleCell, findPodType } from "./scale-cells.ts";
import { SCALE_NAMESPACE, buildScalePod, type ScalePod, getServiceName } from "./scale-pods.ts";

/** A cell with its pods and the address. */
export interface ScaleProbe {
  readonly source: ScalePod;
  readonly target: ScalePod;
  readonly protocol: ScaleCell["protocol"];
  readonly address: string;
  readonly port: number;
  /** Names of the pods that may respond. */
  readonly servers: ReadonlySet<string>;
  /** Description of the probe. */
  readonly text: string;
}

const networkStatus = z.array(z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]) }));
const PORTS = { tcp: TCP_PORT, udp: UDP_PORT, icmp: 0 } as const;

/** Turns cells into probes between existing pods. */
export async function buildProbes(
  api: ClusterApi,
  cells: readonly ScaleCell[],
  pods: number,
  nodes: number,
): Promise<readonly ScaleProbe[]> {
  const allPods = Array.from({ length: pods }, (_, number) => buildScalePod(number, nodes));
  const objects = new Map(
    (await retryOnServerError(() => api.core.listNamespacedPod({ namespace: SCALE_NAMESPACE }))).items.map((pod) => [
      pod.metadata?.name ?? "",
      pod,
    ]),
  );
  const services = new Map(
    (await retryOnServerError(() => api.core.listNamespacedService({ namespace: SCALE_NAMESPACE }))).items.map(
      ({ metadata, spec }) => [metadata?.name ?? "", spec?.clusterIP],
    ),
  );
  const listPods = (node: number, type: string): readonly ScalePod[] => {
    const pods = allPods.filter((pod) => pod.node === node && pod.type === type);
    if (pods.length === 0)
      throw new Error(`worker ${node + 1} has no ${type} pod: the benchmark needs one of each type`);
    return pods;
  };
  /** Number of probes to pods of a type on a node; the server pods alternate. */
  const turns = new Map<string, number>();
  return cells.map((cell): ScaleProbe => {
    const type = findPodType(cell.target);
    const servers = listPods(cell.to, type);
    const turn = turns.get(`${cell.to} ${type}`) ?? 0;
    turns.set(`${cell.to} ${type}`, turn + 1);
    // Only the first pod of a type is a client, to avoid five hundred processes.
    const [source] = listPods(cell.from, cell.source);
    const target = servers[turn % servers.length];
    if (source === undefined || target === undefined) throw new Error("a non-empty list has a first element");
    const isService = cell.target.startsWith("service:");
    const address = isService
      ? services.get(getServiceName(type, cell.to))
      : findAddress(objects.get(target.name), cell);
    const server = isService ? `Service ${getServiceName(type, cell.to)}` : `${cell.target} ${target.name}`;
    const text = `${cell.source} ${source.name} (worker ${cell.from + 1}) -> ${server} (worker ${cell.to + 1}), ${cell.protocol}`;
    if (address === undefined) throw new Error(`no address for ${text}`);
    return {
      source,
      target,
      text,
      address,
      protocol: cell.protocol,
      port: PORTS[cell.protocol],
      servers: new Set(isService ? servers.map(({ name }) => name) : [target.name]),
    };
  });
}

function findAddress(pod: V1Pod | undefined, { target }: ScaleCell): string | undefined {
  if (!target.endsWith(":net1")) return pod?.status?.podIP;
  const status = pod?.metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]";
  return networkStatus.parse(JSON.parse(status)).find((entry) => entry.interface === "net1")?.ips[0];
}
