import { z } from "zod";
import { parseCidr } from "../../datapath/address.ts";
import { selectsNode } from "../../ipam/pool/select-pools.ts";
import { parsePools } from "../../ipam/pool/parse-pools.ts";
import type { PoolOnNode } from "./choose-return-path.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";

/** The controller's part of an UnderlayPool's status. */
const status = z.object({ nodesOutside: z.object({ count: z.number(), example: z.string() }) });

/** Lists the pools that select this node; a pool is missing until the controller has compared its subnet with all nodes. */
export function listPoolsOfNode(
  cache: Pick<ClusterCache, "underlayPools" | "node">,
  node: string,
): readonly PoolOnNode[] {
  const labels = cache.node.get(node)?.metadata.labels ?? {};
  const objects = cache.underlayPools.values();
  return parsePools(objects).valid.flatMap(({ name, selection }) => {
    const object = objects.find(({ metadata }) => metadata.name === name);
    const parsed = status.safeParse(object?.status);
    if (object === undefined || !parsed.success || !selectsNode(selection, { name: node, labels })) return [];
    return [{ name, subnet: parseCidr(object.spec.subnet), nodesOutside: parsed.data.nodesOutside }];
  });
}
