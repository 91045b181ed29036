import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { renderPool } from "../../clusters/environments/calico-settings.ts";
import type { EnvironmentStep } from "../../clusters/spec/environment-spec.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getIpFamily } from "../../clusters/spec/address-ranges.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { runOnNode } from "../support/agent-process.ts";

/**
 * Makes one change to the running cluster.
 * @returns a function that undoes the change; undefined if nothing has to be undone
 */
export async function takeStep(
  cluster: Cluster,
  api: ClusterApi,
  step: EnvironmentStep,
): Promise<(() => Promise<void>) | undefined> {
  switch (step.kind) {
    case "create-pool": {
      await ensureObject(api, renderPool(step.pool, cluster.spec.underlayCidr));
      return () => deletePool(api, step.pool.name);
    }
    case "delete-pool":
      await deletePool(api, step.name);
      return undefined;
    case "route-blocks": {
      const routes = planBlockRoutes(await readBlocks(api), cluster.nodes);
      for (const { node, argv } of routes) await runOnNode(cluster, node, ["ip", "route", "replace", ...argv]);
      return async () => {
        for (const { node, argv } of routes) await cluster.exec(node, ["ip", "route", "delete", ...argv]);
      };
    }
    case "wait":
      await sleep(step.seconds * 1000);
      return undefined;
  }
}

async function deletePool(api: ClusterApi, name: string): Promise<void> {
  const pool = renderPool({ name, cidr: "", disabled: true }, "");
  await retryOnServerError(() => api.objects.delete(pool)).catch((error: unknown) => {
    if (getStatusCode(error) !== 404) throw error;
  });
}

/** A Calico block and the node that owns it. */
interface OwnedBlock {
  readonly cidr: string;
  readonly node: string;
}

const affinity = z.object({ spec: z.object({ cidr: z.string(), node: z.string() }) });

async function readBlocks(api: ClusterApi): Promise<readonly OwnedBlock[]> {
  const { items } = await retryOnServerError(() => api.objects.list("crd.projectcalico.org/v1", "BlockAffinity"));
  return z
    .array(affinity)
    .parse(items)
    .map(({ spec }) => ({ cidr: spec.cidr, node: spec.node }));
}

/** Returns, for every node, a route to every block of another node by that node's address. Pure. */
export function planBlockRoutes(
  blocks: readonly OwnedBlock[],
  nodes: readonly { readonly name: string; readonly address: string; readonly address6?: string }[],
): readonly { readonly node: string; readonly argv: readonly string[] }[] {
  return nodes.flatMap(({ name }) =>
    blocks
      .filter(({ node }) => node !== name)
      .flatMap(({ cidr, node }) => {
        const owner = nodes.find((candidate) => candidate.name === node);
        const address = [owner?.address, owner?.address6].find(
          (ownerAddress) => ownerAddress !== undefined && getIpFamily(ownerAddress) === getIpFamily(cidr),
        );
        return address === undefined ? [] : [{ node: name, argv: [cidr, "via", address] }];
      }),
  );
}
