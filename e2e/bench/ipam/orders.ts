import { z } from "zod";

/** Labels of the pods that the bench's pools select. */
export const POD_LABELS = { "interlay.dev/bench": "ipam" };

/** Socket of a simulated node's agent, in the node's directory. */
export const SOCKET_FILE = "cni.sock";

/** Protocol between the bench and a process of simulated nodes: one line of JSON per message. */
export const workerMessage = z.object({
  kubeconfig: z.string(),
  namespace: z.string(),
  /** Directory that contains the nodes' records. */
  directory: z.string(),
  nodes: z.array(z.object({ name: z.string(), pods: z.number() })).readonly(),
});
export type WorkerMessage = z.infer<typeof workerMessage>;

export const orderMessage = z.object({
  /** Pools from which every pod gets one address each, one pool after another. */
  pools: z.array(z.string()).readonly(),
  /** Parallel calls on each node. */
  atOnce: z.number(),
});
export type WorkerOrder = z.infer<typeof orderMessage>;

export const outcomeMessage = z.object({
  given: z.array(z.object({ pool: z.string(), address: z.string(), milliseconds: z.number() })),
  failed: z.array(z.string()),
});
export type WorkerOutcome = z.infer<typeof outcomeMessage>;
