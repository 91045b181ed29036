import { z } from "zod";

/** The agent's socket: mode 0600, in a directory of mode 0700. */
export const AGENT_SOCKET = "/run/interlay/agent.sock";

/** Request of the IPAM plugin to its agent. */
export const ipamRequest = z.object({
  containerId: z.string(),
  ifname: z.string(),
  /** The network's name in the conflist. */
  network: z.string().default(""),
  /** Path of the network namespace; the container exists as long as this file does. */
  netns: z.string().default(""),
  /** UnderlayPools to use; empty: those whose selectors match. */
  pools: z.array(z.string()).default([]),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
});
export type IpamRequest = z.infer<typeof ipamRequest>;

/** GC: the attachments to a network that the runtime knows. */
export const gcRequest = z.object({
  network: z.string(),
  valid: z.array(z.object({ containerID: z.string(), ifname: z.string() })),
});

export const ipamAnswer = z.object({
  ips: z.array(z.object({ address: z.string(), gateway: z.string().optional() })),
  routes: z.array(z.object({ dst: z.string(), gw: z.string().optional() })).default([]),
  /** By the pod's annotation; for the chained plugin. */
  defaultRouteNic: z.string().optional(),
});
export type IpamAnswer = z.infer<typeof ipamAnswer>;

export const ipamRefusal = z.object({ code: z.number(), message: z.string(), details: z.string().default("") });
