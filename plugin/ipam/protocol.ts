import { z } from "zod";

/** The agent's socket: mode 0600, in a directory of mode 0700. */
export const AGENT_SOCKET = "/run/interlay/agent.sock";

/** What the IPAM plugin asks of its agent. */
export const ipamRequest = z.object({
  containerId: z.string(),
  ifname: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
});
export type IpamRequest = z.infer<typeof ipamRequest>;

export const ipamAnswer = z.object({
  ips: z.array(z.object({ address: z.string(), gateway: z.string().optional() })),
});
export type IpamAnswer = z.infer<typeof ipamAnswer>;

export const ipamRefusal = z.object({ code: z.number(), message: z.string() });
