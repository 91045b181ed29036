import { statSync } from "node:fs";

/** Protocol of CNI calls to the agent: one request and one response per connection. plugin/launcher/main.c implements it in C. */

/** Name of the agent's socket in its run directory; mode 0600, in a directory of mode 0700. */
export const CNI_SOCKET = "cni.sock";
/** Environment variable with another path of the socket. */
export const CNI_SOCKET_VARIABLE = "INTERLAY_CNI_SOCKET";
export const DEFAULT_CNI_SOCKET = `/run/interlay/${CNI_SOCKET}`;

export const CNI_PROTOCOL = "interlay-call/1";
/** Size of the length field in bytes. The field precedes a request, and follows the status of a response. */
export const LENGTH_BYTES = 4;
/** Greatest length of a request: more than any configuration with its prevResult. The launcher runs longer requests standalone. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Status by which the agent declines a call: the launcher runs it standalone. */
export const FALLBACK_STATUS = 255;
const RESPONSE_HEADER_BYTES = 1 + LENGTH_BYTES;

export interface CniRequestFrame {
  /** Name by which the plugin was called: interlay or interlay-ipam. */
  readonly name: string;
  /** Start of the call, and the longest wait for its response, in milliseconds. */
  readonly startedMs: number;
  readonly timeoutMs: number;
  /** Identity of `/proc/self/ns/net` and CNI_NETNS in the caller's mounts: `DEVICE:INODE`, empty if the file is missing. */
  readonly ownNetns: string;
  readonly podNetns: string;
  /** The environment's CNI_ variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** Decodes a request without its length field; undefined if it is invalid or has another protocol. */
export function decodeRequest(bytes: Buffer): CniRequestFrame | undefined {
  const fields: string[] = [];
  let offset = 0;
  for (;;) {
    const end = bytes.indexOf(0, offset);
    if (end < 0) return undefined;
    const field = bytes.toString("utf8", offset, end);
    offset = end + 1;
    // The six fixed fields may be empty; after them an empty field ends the variables.
    if (fields.length >= FIXED_FIELDS && field === "") break;
    fields.push(field);
  }
  const [protocol, name = "", startedMs, timeoutMs, ownNetns = "", podNetns = "", ...variables] = fields;
  if (protocol !== CNI_PROTOCOL) return undefined;
  const env = Object.fromEntries(
    variables.flatMap((variable) => {
      const equals = variable.indexOf("=");
      return equals < 0 ? [] : [[variable.slice(0, equals), variable.slice(equals + 1)]];
    }),
  );
  const frame = { name, startedMs: Number(startedMs), timeoutMs: Number(timeoutMs), ownNetns, podNetns, env };
  return { ...frame, stdin: bytes.toString("utf8", offset) };
}
const FIXED_FIELDS = 6;

/** Encodes a request with its length field. */
export function encodeRequest({ name, startedMs, timeoutMs, ownNetns, podNetns, env, stdin }: CniRequestFrame): Buffer {
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const fields = [CNI_PROTOCOL, name, String(startedMs), String(timeoutMs), ownNetns, podNetns, ...variables, ""];
  const body = Buffer.from(fields.map((field) => `${field}\0`).join("") + stdin);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** Returns the identity of a file for a request, `DEVICE:INODE`; empty if the file is missing. */
export function readFileIdentity(path: string): string {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.dev}:${stat.ino}`;
  } catch {
    return "";
  }
}

/** Response of the agent to a call. */
export interface CniReply {
  /** Exit status of the call. */
  readonly status: number;
  /** Text for stdout, without its line end. */
  readonly output: string;
}

/** Decodes a response; undefined if it is not complete. */
export function decodeResponse(bytes: Buffer): CniReply | undefined {
  if (bytes.length < RESPONSE_HEADER_BYTES) return undefined;
  const body = bytes.subarray(RESPONSE_HEADER_BYTES);
  if (body.length !== bytes.readUInt32LE(1)) return undefined;
  return { status: bytes.readUInt8(0), output: body.toString("utf8").trimEnd() };
}

/** Encodes the agent's response: exit status, length, and output with a newline. */
export function encodeResponse(status: number, output: string): Buffer {
  const body = Buffer.from(output === "" ? "" : `${output}\n`);
  const head = Buffer.alloc(RESPONSE_HEADER_BYTES);
  head.writeUInt8(status, 0);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Encodes the response after which the launcher runs the call standalone. */
export function encodeFallback(): Buffer {
  return encodeResponse(FALLBACK_STATUS, "");
}
