import { z } from "zod";

/** Ports that every probe serves, the same for both protocols, if PROBE_PORT does not say otherwise. */
export const TCP_PORT = 8080;
export const UDP_PORT = 8080;

export const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One line to a prober's stdin. */
export const probeRequest = z.object({
  id: z.number(),
  protocol: z.enum(PROTOCOLS),
  address: z.string(),
  port: z.number().default(0),
  timeoutMs: z.number(),
  /** Six characters [0-9a-z] that travel in the payload, so that captures find this probe's packets whatever NAT does. */
  token: z
    .string()
    .regex(/^[0-9a-z]{6}$/)
    .default("000000"),
  /** TCP that ends after the handshake: for servers that are no probes (the API server). */
  connectOnly: z.boolean().default(false),
});
export type ProbeRequest = z.input<typeof probeRequest>;

/** One line from a prober's stdout. */
export const probeAnswer = z.object({
  id: z.number(),
  ok: z.boolean(),
  latencyMs: z.number(),
  /** Who answered: the pod's name. Undefined for ICMP and connectOnly. */
  server: z.string().optional(),
  /** The source address that the server saw. */
  seen: z.string().optional(),
  error: z.string().optional(),
});
export type ProbeAnswer = z.infer<typeof probeAnswer>;

/** How the token is written in a request, a reply and a ping (whose reply is told by its type). */
export const MARKS = { request: "q", reply: "r", ping: "p" } as const;
export const marked = (mark: keyof typeof MARKS, token: string): string => `${MARKS[mark]}:${token};`;
/** The token of a request that a server has read. */
export const tokenIn = (text: string): string => /q:([0-9a-z]{6});/.exec(text)?.[1] ?? "000000";

/** What a server says to whoever comes. */
export const greeting = z.object({ server: z.string(), seen: z.string() });
