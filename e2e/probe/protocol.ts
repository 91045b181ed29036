import { createHash } from "node:crypto";
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
  /** Host name that the pod's resolver must turn into `address`. */
  name: z.string().optional(),
  /** Length of question and answer; 0: a line each. */
  bytes: z.number().int().nonnegative().default(0),
  /** `heard`: how many datagrams with the token the server has got. */
  question: z.enum(["who", "heard"]).default("who"),
});
export type ProbeRequest = z.input<typeof probeRequest>;

/** Sends datagrams whose headers are given, by a link of the pod to a neighbour there. One line to a prober's stdin. */
const injectRequest = z.object({
  id: z.number(),
  kind: z.literal("inject"),
  device: z.string(),
  /** The neighbour's address on the link: its MAC address is taken from the neighbour table. */
  neighbour: z.string(),
  source: z.string(),
  destination: z.string(),
  port: z.number(),
  token: z.string(),
  count: z.number().int().positive(),
});
export type InjectRequest = z.infer<typeof injectRequest>;

export const clientRequest = z.union([injectRequest, probeRequest]);

/** One line from a prober's stdout. */
export const probeAnswer = z.object({
  id: z.number(),
  ok: z.boolean(),
  latencyMs: z.number(),
  /** Who answered: the pod's name. Undefined for ICMP and connectOnly. */
  server: z.string().optional(),
  /** The source address that the server saw. */
  seen: z.string().optional(),
  /** Datagrams with the token that the server has got. */
  heard: z.number().optional(),
  /** Datagrams that the probe, or TCP segments that its kernel, sent again; absent if unknown. */
  resent: z.number().optional(),
  error: z.string().optional(),
});
export type ProbeAnswer = z.infer<typeof probeAnswer>;

/** How the token is written in a request, a reply and a ping (whose reply is told by its type). */
export const MARKS = { request: "q", reply: "r", ping: "p" } as const;
export const formatMark = (mark: keyof typeof MARKS, token: string): string => `${MARKS[mark]}:${token};`;
export const TOKENS = 36 ** 6;
/** The token of a number: a cell's, whose packets it marks, or a flow's question. */
export const formatToken = (number: number): string => (number % TOKENS).toString(36).padStart(6, "0");
/** The token of a request that a server has read. */
export const findToken = (text: string): string => /q:([0-9a-z]{6});/.exec(text)?.[1] ?? "000000";

/** A server's answer. */
export const greeting = z.object({
  server: z.string(),
  seen: z.string(),
  heard: z.number().optional(),
  /** Of a large question as it arrived. */
  digest: z.string().optional(),
});

/** A question: a line that ends with a newline. */
export function writeQuestion({
  question,
  token,
  bytes,
}: Pick<z.infer<typeof probeRequest>, "question" | "token" | "bytes">): string {
  const start = `${bytes > 0 ? `large ${bytes}` : question} ${formatMark("request", token)}`;
  return bytes > 0 ? `${padToLength(`${start} `, token, bytes - 1)}\n` : `${start}\n`;
}

/** Length that the answer to a question must have; undefined where any will do. */
export function readLargeLength(asked: string): number | undefined {
  const length = /^large (\d{1,8}) /.exec(asked)?.[1];
  return length === undefined ? undefined : Number(length);
}

/** `start` with text behind it that follows from the token, so that a changed byte is noticed. */
export function padToLength(start: string, token: string, length: number): string {
  const block = computeDigest(token);
  return `${start}${block.repeat(Math.ceil(length / block.length))}`.slice(0, Math.max(length, start.length));
}

/** One line to the stdin of `probe flow`: from then on it asks once a second, by one connection or from one port. */
export const flowRequest = z.object({
  id: z.number(),
  protocol: z.enum(["tcp", "udp"]),
  address: z.string(),
  port: z.number(),
  /** The id of a flow that ends with this one's begin. */
  instead: z.number().optional(),
});
export type FlowRequest = z.infer<typeof flowRequest>;

/** One line from the stdout of `probe flow`: an answer that was what it must be, or why there will be none. */
export const flowEvent = z.union([
  z.object({ id: z.number(), answered: z.number().describe("the question's number, from 1") }),
  z.object({ id: z.number(), ended: z.string() }),
]);
export type FlowEvent = z.infer<typeof flowEvent>;

/** Bytes of a question: several segments of TCP; one datagram that fits into Calico's VXLAN. */
const FLOW_BYTES = { tcp: 4000, udp: 1000 } as const;

/** The n-th question of a flow: a text that no other has. The connection stays open behind it. */
export function flowQuestion({ id, protocol }: Pick<FlowRequest, "id" | "protocol">, n: number): string {
  const block = computeDigest(`${id} ${n}`);
  const text = block.repeat(Math.ceil(FLOW_BYTES[protocol] / block.length)).slice(0, FLOW_BYTES[protocol]);
  return `flow ${formatMark("request", formatToken(n))} ${text}`;
}
export const isFlow = (asked: string): boolean => asked.startsWith("flow ");
export const computeDigest = (text: string): string => createHash("sha256").update(text.trimEnd()).digest("hex");

/** What a server says to a flow's question: who it is, and what it has read. */
export const flowAnswer = z.object({ mark: z.string(), server: z.string(), digest: z.string() });

/** A line as JSON; undefined where it is none: what else a program says, or a runtime. */
export function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
