/** What the launcher (plugin/launcher) and the agent say to each other: one request and one answer a connection. */

export const CALL_PROTOCOL = "interlay-call/1";
/** Each side's message begins with its length, or the answer with a status and its length. Bytes. */
export const LENGTH_BYTES = 4;
/** Longer than any configuration with its prevResult; a runtime that says more is served by the plugin alone. */
export const REQUEST_MAX = 4 * 1024 * 1024;
/** The status that says: do it alone. */
const ALONE = 255;

export interface CallFrame {
  /** By which name the plugin was called: interlay or interlay-ipam. */
  readonly name: string;
  /** When the call began, and how long it waits for its answer, in milliseconds. */
  readonly began: number;
  readonly patience: number;
  /** Which files `/proc/self/ns/net` and CNI_NETNS are where the call was made: `DEVICE:INODE`, empty if there is none. */
  readonly ownNetns: string;
  readonly podNetns: string;
  /** The environment's CNI_ variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** A request without its length; undefined where it is of another protocol, or none. */
export function decodeCall(bytes: Buffer): CallFrame | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    const field = bytes.toString("utf8", at, end);
    at = end + 1;
    // The first six may be empty; behind them the first empty one is the last.
    if (fields.length >= FIXED && field === "") break;
    fields.push(field);
  }
  const [protocol, name = "", began, patience, ownNetns = "", podNetns = "", ...variables] = fields;
  if (protocol !== CALL_PROTOCOL) return undefined;
  const env = Object.fromEntries(
    variables.flatMap((variable) => {
      const equals = variable.indexOf("=");
      return equals < 0 ? [] : [[variable.slice(0, equals), variable.slice(equals + 1)]];
    }),
  );
  const frame = { name, began: Number(began), patience: Number(patience), ownNetns, podNetns, env };
  return { ...frame, stdin: bytes.toString("utf8", at) };
}
const FIXED = 6;

export function encodeAnswer(status: number, output: string): Buffer {
  const body = Buffer.from(output === "" ? "" : `${output}\n`);
  const head = Buffer.alloc(1 + LENGTH_BYTES);
  head.writeUInt8(status, 0);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}

export function encodeAlone(): Buffer {
  return encodeAnswer(ALONE, "");
}
