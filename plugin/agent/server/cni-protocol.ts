/** Protocol between the launcher (plugin/launcher) and the agent: one request and one response per connection. */

export const CNI_PROTOCOL = "interlay-call/1";
/** A request begins with its length, a response with a status and its length. Bytes. */
export const LENGTH_BYTES = 4;
/** Longer than any configuration with its prevResult. The launcher runs longer requests standalone. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Status that makes the launcher run the call standalone. */
const FALLBACK_STATUS = 255;

export interface CniRequestFrame {
  /** Name by which the plugin was called: interlay or interlay-ipam. */
  readonly name: string;
  /** Start of the call, and the time that it waits for its response, in milliseconds. */
  readonly startedMs: number;
  readonly timeoutMs: number;
  /** Identity of `/proc/self/ns/net` and CNI_NETNS in the caller's mounts: `DEVICE:INODE`, empty if the file is missing. */
  readonly ownNetns: string;
  readonly podNetns: string;
  /** The environment's CNI_ variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** Decodes a request without its length; undefined if it is invalid or has another protocol. */
export function decodeRequest(bytes: Buffer): CniRequestFrame | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    const field = bytes.toString("utf8", at, end);
    at = end + 1;
    // The first six may be empty; behind them the first empty one is the last.
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
  return { ...frame, stdin: bytes.toString("utf8", at) };
}
const FIXED_FIELDS = 6;

export function encodeResponse(status: number, output: string): Buffer {
  const body = Buffer.from(output === "" ? "" : `${output}\n`);
  const head = Buffer.alloc(1 + LENGTH_BYTES);
  head.writeUInt8(status, 0);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}

export function encodeFallback(): Buffer {
  return encodeResponse(FALLBACK_STATUS, "");
}
