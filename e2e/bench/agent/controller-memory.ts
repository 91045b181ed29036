import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { findControllerProcess } from "../../support/controller-process.ts";
import { readMemory } from "./process-state.ts";

const lease = z.object({ spec: z.object({ holderIdentity: z.string() }) });

/** Reads the memory of the controller that leads. */
export async function readLeaderMemory(cluster: Cluster, kube: KubeClient): ReturnType<typeof readMemory> {
  const { holderIdentity } = lease.parse(await kube.get(RESOURCE.leases, "interlay-leader")).spec;
  const { node, pid } = await findControllerProcess(cluster, holderIdentity);
  return readMemory(cluster, node, pid);
}
