import { createHash } from "node:crypto";
import { z } from "zod";

/** Ports that every probe serves, the same for both protocols, unless PROBE_PORT is set. */
export const TCP_PORT = 8080;
export const UDP_PORT = 8080;

export const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One line to the stdin of `probe client`. */
export const probeRequest = z.object({
  id: z.number(),
  protocol: z.enum(PROTOCOLS),
  address: z.string(),
  port: z.number().default(0),
  timeoutMs: z.number(),
  /** Six characters [0-9a-z] in the payload, by which captures find this probe's packets after any NAT. */
  token: z
    .string()
    .regex(/^[0-9a-z]{6}$/)
    .default("000000"),
  /** Ends TCP after the handshake: for servers without a probe (the API server). */
  connectOnly: z.boolean().default(false),
  /** With TCP: a GET request of this URL, instead of a question to a probe. */
  url: z.string().optional(),
  /** Host name that the pod's resolver must resolve to `address`. */
  name: z.string().optional(),
  /** Length of request and answer; 0: a line each. */
  bytes: z.number().int().nonnegative().default(0),
  /** `heard`: the number of datagrams with the token that the server has received. */
  question: z.enum(["who", "heard"]).default("who"),
});
export type ProbeRequest = z.input<typeof probeRequest>;

/** Sends datagrams with given headers by a link of the pod to a neighbour. One line to the stdin of `probe client`. */
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

/** One line from the stdout of `probe client`. */
export const probeAnswer = z.object({
  id: z.number(),
  ok: z.boolean(),
  /** Milliseconds from the request to the answer, or to the error. */
  latencyMs: z.number(),
  /** The client's end of an established TCP connection: `10.0.0.1:40000`, `[fd00::1]:40000`. */
  local: z.string().optional(),
  /** Name of the pod that answered. Undefined for ICMP and connectOnly. */
  server: z.string().optional(),
  /** The source address that the server saw. */
  seen: z.string().optional(),
  /** Number of datagrams with the token that the server has received. */
  heard: z.number().optional(),
  /** Datagrams that the probe sent again and that were not answered, or TCP segments that its kernel sent again; absent if unknown, and for large payloads. */
  resent: z.number().optional(),
  error: z.string().optional(),
});
export type ProbeAnswer = z.infer<typeof probeAnswer>;

/** Prefixes of the token in a request, a reply and a ping (whose reply has another type). */
export const MARKS = { request: "q", reply: "r", ping: "p" } as const;
/** Returns the mark in the payload by which captures find a probe's packets. */
export const formatProbeMark = (mark: keyof typeof MARKS, token: string): string => `${MARKS[mark]}:${token};`;
export const TOKENS = 36 ** 6;
/** Returns the token of a number: of a cell, whose packets it marks, or of a flow's request. */
export const formatToken = (number: number): string => (number % TOKENS).toString(36).padStart(6, "0");
/** Returns the token in a request. */
export const findToken = (text: string): string => /q:([0-9a-z]{6});/.exec(text)?.[1] ?? "000000";

/** A server's answer. */
export const greetingSchema = z.object({
  server: z.string(),
  seen: z.string(),
  heard: z.number().optional(),
  /** Digest of a large request as it arrived. */
  digest: z.string().optional(),
});

/** Returns a request: a line that ends with a newline. */
export function writeQuestion({
  question,
  token,
  bytes,
}: Pick<z.infer<typeof probeRequest>, "question" | "token" | "bytes">): string {
  const start = `${bytes > 0 ? `large ${bytes}` : question} ${formatProbeMark("request", token)}`;
  return bytes > 0 ? `${padToLength(`${start} `, token, bytes - 1)}\n` : `${start}\n`;
}

/** Returns the length that the answer to a request must have; undefined: any. */
export function readLargeLength(requestText: string): number | undefined {
  const length = /^large (\d{1,8}) /.exec(requestText)?.[1];
  return length === undefined ? undefined : Number(length);
}

/** Returns `start` padded with text that depends on the token, so that a changed byte is noticed. */
export function padToLength(start: string, token: string, length: number): string {
  const block = computeDigest(token);
  return `${start}${block.repeat(Math.ceil(length / block.length))}`.slice(0, Math.max(length, start.length));
}

/** One line to the stdin of `probe flow`: a request every second, by one connection or from one port. */
export const flowRequest = z.object({
  id: z.number(),
  protocol: z.enum(["tcp", "udp"]),
  address: z.string(),
  port: z.number(),
  /** Id of a flow that ends when this one starts. */
  instead: z.number().optional(),
});
export type FlowRequest = z.infer<typeof flowRequest>;

/** One line from the stdout of `probe flow`: a correct answer, or why the flow ended. */
export const flowEvent = z.union([
  z.object({ id: z.number(), answered: z.number().describe("the question's number, from 1") }),
  z.object({ id: z.number(), ended: z.string() }),
]);
export type FlowEvent = z.infer<typeof flowEvent>;

/** Bytes of a request: several segments of TCP; one datagram that fits into Calico's VXLAN. */
const FLOW_BYTES = { tcp: 4000, udp: 1000 } as const;

/** Returns the n-th request of a flow, a unique text. The connection stays open after it. */
export function formatFlowQuestion({ id, protocol }: Pick<FlowRequest, "id" | "protocol">, n: number): string {
  const block = computeDigest(`${id} ${n}`);
  const text = block.repeat(Math.ceil(FLOW_BYTES[protocol] / block.length)).slice(0, FLOW_BYTES[protocol]);
  return `flow ${formatProbeMark("request", formatToken(n))} ${text}`;
}
export const isFlow = (requestText: string): boolean => requestText.startsWith("flow ");
export const computeDigest = (text: string): string => createHash("sha256").update(text.trimEnd()).digest("hex");

/** A server's answer to a flow's request: its name and a digest of the request. */
export const flowAnswer = z.object({ mark: z.string(), server: z.string(), digest: z.string() });

/** Parses a line as JSON; undefined for other output of a program or a runtime. */
export function parseProbeLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
