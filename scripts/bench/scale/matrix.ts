import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import type { ClusterApi } from "../../../e2e/cluster-api.ts";
import { type Protocol, TCP_PORT, UDP_PORT } from "../../../e2e/probe/protocol.ts";
import { Prober } from "../../../e2e/prober.ts";
import { type ScaleCell, typeOf } from "./cells.ts";
import { NAMESPACE, nthPod, type ScalePod, serviceName } from "./pods.ts";

const CLIENT = ["/usr/local/bin/probe", "client"];
const TIMEOUT_MS = 5000;
const PARALLEL = 24;
const networkStatus = z.array(z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]) }));

/** Asks every sampled question once; what failed, in a line each. */
export async function askAll(
  api: ClusterApi,
  cells: readonly ScaleCell[],
  pods: number,
  nodes: number,
): Promise<readonly string[]> {
  const there = Array.from({ length: pods }, (_, number) => nthPod(number, nodes));
  const objects = new Map(
    (await api.core.listNamespacedPod({ namespace: NAMESPACE })).items.map((pod) => [pod.metadata?.name ?? "", pod]),
  );
  const services = new Map(
    (await api.core.listNamespacedService({ namespace: NAMESPACE })).items.map(({ metadata, spec }) => [
      metadata?.name ?? "",
      spec?.clusterIP ?? "",
    ]),
  );
  /** Whose turn it is of a type's pods on a node: in the end all are asked, or nearly. */
  const turns = new Map<string, number>();
  const next = (node: number, type: string): ScalePod => {
    const all = there.filter((pod) => pod.node === node && pod.type === type);
    const turn = turns.get(`${node} ${type}`) ?? 0;
    turns.set(`${node} ${type}`, turn + 1);
    const pod = all[turn % all.length];
    if (pod === undefined) throw new Error(`worker ${node + 1} has no ${type} pod`);
    return pod;
  };
  const probers = new Map<string, Promise<Prober>>();
  const proberIn = (name: string): Promise<Prober> => {
    const made = probers.get(name) ?? api.attach(NAMESPACE, name, CLIENT).then((stream) => new Prober(name, stream));
    probers.set(name, made);
    return made;
  };
  const wrong: string[] = [];
  const queue = [...cells];
  const worker = async () => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      // The first of a type asks for all: a prober in each of five hundred pods would be as many processes more.
      const source = there.find((pod) => pod.node === cell.from && pod.type === cell.source);
      const type = typeOf(cell.target);
      const target = next(cell.to, type);
      const service = cell.target.startsWith("service:");
      const address = service ? services.get(serviceName(type, cell.to)) : addressOf(objects.get(target.name), cell);
      const what = `${source?.name ?? "?"} (${cell.source}, worker ${cell.from + 1}) -> ${cell.target} ${target.name} (worker ${cell.to + 1}), ${cell.protocol}`;
      const prober = await proberIn(source?.name ?? "");
      const answer = await prober.probe({
        ...{ protocol: cell.protocol satisfies Protocol, address: address ?? "", timeoutMs: TIMEOUT_MS },
        port: cell.protocol === "icmp" ? 0 : cell.protocol === "udp" ? UDP_PORT : TCP_PORT,
      });
      const servedByOther = service
        ? !there.some((pod) => pod.name === answer.server && pod.node === cell.to && pod.type === type)
        : answer.server !== target.name;
      if (!answer.ok) wrong.push(`${what}: ${answer.error ?? "no answer"}`);
      else if (cell.protocol !== "icmp" && servedByOther)
        wrong.push(`${what}: answered by ${answer.server ?? "nobody"}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  await Promise.all([...probers.values()].map(async (prober) => (await prober).close()));
  return wrong;
}

function addressOf(pod: V1Pod | undefined, { target }: ScaleCell): string | undefined {
  if (!target.endsWith(":net1")) return pod?.status?.podIP;
  const status = pod?.metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]";
  return networkStatus.parse(JSON.parse(status)).find((entry) => entry.interface === "net1")?.ips[0];
}
