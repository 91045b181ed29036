/**
 * Netlink messages as bytes: header and attributes, both ways. Pure. RFC 3549, section 2.3; linux/netlink.h.
 * Numbers are in the host's byte order, which is little endian on every machine Interlay is built for; addresses are
 * in network order.
 */

export const HEADER_LENGTH = 16;

/** nlmsg_flags of linux/netlink.h. */
export const NLM_FLAG = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  excl: 0x200,
  create: 0x400,
  /** In an error message: the request is not echoed behind the error. */
  capped: 0x100,
  /** In an error message: attributes with an explanation follow. */
  ackTlvs: 0x200,
} as const;

/** nlmsg_type of the control messages. */
export const NLMSG = { error: 2, done: 3 } as const;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Bytes after the header. */
  readonly payload: Buffer;
}

/** An attribute to be sent: a number type, and bytes or nested attributes. */
export interface Attribute {
  readonly type: number;
  readonly value: Buffer | readonly Attribute[];
}

const alignLength = (length: number): number => (length + 3) & ~3;

/** Encodes a message with its header; the parts are padded to 4 bytes (netlink(7)). */
export function encodeMessage(message: Omit<Message, "payload">, ...parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt32LE(
    parts.reduce((sum, part) => sum + alignLength(part.length), HEADER_LENGTH),
    0,
  );
  header.writeUInt16LE(message.type, 4);
  header.writeUInt16LE(message.flags, 6);
  header.writeUInt32LE(message.sequence, 8);
  return Buffer.concat([header, ...parts.map(padBytes)]);
}

function padBytes(part: Buffer): Buffer {
  const missing = alignLength(part.length) - part.length;
  return missing === 0 ? part : Buffer.concat([part, Buffer.alloc(missing)]);
}

/** Splits what one `recv` gave. A datagram that ends inside a message is an error: the buffer was too small. */
export function decodeMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let offset = 0; offset + HEADER_LENGTH <= bytes.length;) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER_LENGTH || offset + length > bytes.length)
      throw new Error(`a netlink message of ${length} bytes at ${offset} does not fit a datagram of ${bytes.length}`);
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      payload: bytes.subarray(offset + HEADER_LENGTH, offset + length),
    });
    offset += alignLength(length);
  }
  return messages;
}

/** nla_type's top bit, for attributes that hold attributes. */
const NESTED = 0x8000;

/** Encodes attributes with their headers; a list of attributes as value is nested. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(({ type, value }) => {
      const nested = !Buffer.isBuffer(value);
      const body = Buffer.isBuffer(value) ? value : encodeAttributes(value);
      const head = Buffer.alloc(4);
      head.writeUInt16LE(4 + body.length, 0);
      head.writeUInt16LE(nested ? type | NESTED : type, 2);
      return padBytes(Buffer.concat([head, body]));
    }),
  );
}

/** Attribute type -> its bytes; of a type that comes twice, the last. */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  return new Map(readAttributes(bytes));
}

/** Decodes a list whose attributes have all the same type: their bytes, in order. */
export function decodeAttributeList(bytes: Buffer): readonly Buffer[] {
  return [...readAttributes(bytes)].map(([, value]) => value);
}

function* readAttributes(bytes: Buffer): Generator<[type: number, value: Buffer]> {
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4 || offset + length > bytes.length) return;
    yield [bytes.readUInt16LE(offset + 2) & 0x3fff, bytes.subarray(offset + 4, offset + length)];
    offset += alignLength(length);
  }
}

/** Encodes one byte. */
export function encodeU8(value: number): Buffer {
  return Buffer.of(value);
}

/** Encodes 32 bits in the host's byte order (little-endian). */
export function encodeU32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A zero-terminated string. */
export function encodeText(value: string): Buffer {
  return Buffer.from(`${value}\0`, "utf8");
}

/** Reads text up to the first zero byte. */
export function readTerminatedText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}
