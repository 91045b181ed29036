import { z } from "zod";

/** Labels of the pods that the bench's pools select. */
export const POD_LABELS = { "interlay.dev/bench": "ipam" };

/** Protocol between the bench and a process of simulated nodes: one line of JSON per message. */
export const workerMessage = z.object({
  kubeconfig: z.string(),
  namespace: z.string(),
  /** The nodes' records are below it. */
  directory: z.string(),
  nodes: z.array(z.object({ name: z.string(), pods: z.number() })).readonly(),
});
export type WorkerMessage = z.infer<typeof workerMessage>;

export const orderMessage = z.object({
  /** An address of each of these pools for every pod, one pool after the other. */
  pools: z.array(z.string()).readonly(),
  /** Calls of one node at a time, as kubelet starts pods. */
  atOnce: z.number(),
});
export type WorkerOrder = z.infer<typeof orderMessage>;

export const outcomeMessage = z.object({
  given: z.array(z.object({ pool: z.string(), address: z.string(), milliseconds: z.number() })),
  failed: z.array(z.string()),
});
export type WorkerOutcome = z.infer<typeof outcomeMessage>;
