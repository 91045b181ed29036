import { findErrnoName } from "./errno.ts";
import { getLibc } from "./libc.ts";
import {
  NLMSG,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  NLM_FLAG,
  HEADER_LENGTH,
  type Message,
  readTerminatedText,
} from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
/** linux/netlink.h. */
const NETLINK = { route: 0, netfilter: 12 } as const;
const SOL_NETLINK = 270;
/** Explanations in words, requests not echoed in errors, dumps filtered as asked. linux/netlink.h. */
const OPTION = { capAck: 10, extAck: 11, strictCheck: 12 } as const;
const NLMSGERR_ATTR_MSG = 1;
/** The kernel never fills more than 32 KiB of one dump datagram. */
const RECEIVE_BYTES = 65536;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const EINTR = 4;
const EAGAIN = 11;
/** The kernel answers in the request's send; only an answer that was lost takes longer. */
const RECEIVE_SECONDS = 5;
/** struct timeval: two 64-bit words. */
const RECEIVE_TIMEOUT = Buffer.alloc(16);
RECEIVE_TIMEOUT.writeBigInt64LE(BigInt(RECEIVE_SECONDS));
/** One for all sockets: each exchange is done before the next begins, and sockets live for a moment. */
let receiveBuffer: Buffer | undefined;

/** The kernel rejected a request; the message contains its explanation if it gave one. */
export class NetlinkError extends Error {
  /** `EEXIST`, `ENOENT`, … */
  readonly code: string;
  readonly errno: number;

  constructor(what: string, errno: number, explanation: string | undefined) {
    const code = findErrnoName(errno);
    super(`${what}: ${code}${explanation === undefined ? "" : ` (${explanation})`}`);
    this.name = "NetlinkError";
    this.code = code;
    this.errno = errno;
  }
}

/** A netlink socket in the network namespace that the thread was in when it was opened. Synchronous. netlink(7). */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 1;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static open(protocol: keyof typeof NETLINK = "route"): NetlinkSocket {
    const c = getLibc();
    const fd = c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK[protocol]);
    if (fd < 0) throw new NetlinkError("socket(AF_NETLINK)", c.errno(), undefined);
    if (c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, RECEIVE_TIMEOUT, RECEIVE_TIMEOUT.length) !== 0) {
      const errno = c.errno();
      c.close(fd);
      throw new NetlinkError("setsockopt(SO_RCVTIMEO)", errno, undefined);
    }
    const on = Buffer.of(1, 0, 0, 0);
    for (const option of Object.values(OPTION)) c.setsockopt(fd, SOL_NETLINK, option, on, on.length);
    return new NetlinkSocket(fd);
  }

  /** Sends one change. `what` describes it in the error: "route 10.0.0.0/8 dev veth0". */
  execute(what: string, type: number, flags: number, body: Buffer): void {
    this.#exchange(what, type, NLM_FLAG.request | NLM_FLAG.ack | flags, body);
  }

  /**
   * Sends several independent changes at once: an error of one does not affect the others.
   * @returns the refusals, by the index of their change
   */
  executeEach(changes: readonly Change[]): ReadonlyMap<number, NetlinkError> {
    const c = getLibc();
    const first = this.#sequence;
    const last = changes.length - 1;
    // Errors are always reported (netlink_rcv_skb); the last change's acknowledgement means that all are done.
    const request = Buffer.concat(
      changes.map(({ type, flags, body }, index) => {
        const sequence = this.#sequence++;
        return encodeMessage(
          { type, flags: NLM_FLAG.request | flags | (index === last ? NLM_FLAG.ack : 0), sequence },
          body,
        );
      }),
    );
    const describe = (index: number): string => changes[index]?.what() ?? "";
    const refusals = new Map<number, NetlinkError>();
    if (changes.length === 0) return refusals;
    if (c.send(this.#fd, request, request.length, 0) < 0) throw new NetlinkError(describe(0), c.errno(), undefined);
    for (;;) {
      for (const message of this.#receiveMessages(describe(last))) {
        const index = message.sequence - first;
        if (index < 0 || message.type !== NLMSG.error) continue; // the rest of an exchange that was given up
        const errno = -message.payload.readInt32LE(0);
        if (errno !== 0) refusals.set(index, new NetlinkError(describe(index), errno, readExplanation(message)));
        if (index === last) return refusals;
      }
    }
  }

  /** Reads one object by name. */
  get(what: string, type: number, body: Buffer): Message | undefined {
    return this.#exchange(what, type, NLM_FLAG.request | NLM_FLAG.ack, body)[0];
  }

  /** Reads all objects that `body` selects. */
  dump(what: string, type: number, body: Buffer): Message[] {
    return this.#exchange(what, type, NLM_FLAG.request | NLM_FLAG.dump, body);
  }

  /**
   * Sends several changes as a transaction between its begin and end messages (nfnetlink): all are made, or none. The first
   * refusal is the error: of a change, or of the transaction, which is reported for the begin message (nfnetlink_rcv_batch).
   */
  batch(what: string, begin: BatchMessage, changes: readonly BatchMessage[], end: BatchMessage): void {
    const c = getLibc();
    const first = this.#sequence;
    const last = first + changes.length;
    const request = Buffer.concat(
      [begin, ...changes, end].map(({ type, flags, body }) => {
        const sequence = this.#sequence++;
        // Errors are always reported; the last change's acknowledgement means that all are done.
        return encodeMessage(
          { type, flags: NLM_FLAG.request | flags | (sequence === last ? NLM_FLAG.ack : 0), sequence },
          body,
        );
      }),
    );
    if (c.send(this.#fd, request, request.length, 0) < 0) throw new NetlinkError(what, c.errno(), undefined);
    let refusal: NetlinkError | undefined;
    for (;;)
      for (const message of this.#receiveMessages(what)) {
        if (message.sequence < first || message.type !== NLMSG.error) continue;
        const errno = -message.payload.readInt32LE(0);
        if (errno !== 0) refusal ??= new NetlinkError(what, errno, readExplanation(message));
        if (message.sequence !== last && message.sequence !== first) continue;
        if (refusal !== undefined) throw refusal;
        return;
      }
  }

  close(): void {
    getLibc().close(this.#fd);
  }

  #receiveMessages(what: string): Message[] {
    const c = getLibc();
    receiveBuffer ??= Buffer.allocUnsafe(RECEIVE_BYTES);
    let length = c.recv(this.#fd, receiveBuffer, RECEIVE_BYTES, 0);
    while (length < 0) {
      const errno = c.errno();
      // With a time-out, recv is not restarted after a signal: signal(7).
      if (errno === EINTR) length = c.recv(this.#fd, receiveBuffer, RECEIVE_BYTES, 0);
      else throw new NetlinkError(what, errno, errno === EAGAIN ? `no answer in ${RECEIVE_SECONDS} s` : undefined);
    }
    // Copied: the buffer is reused by the next recv.
    return decodeMessages(Buffer.from(receiveBuffer.subarray(0, length)));
  }

  #exchange(what: string, type: number, flags: number, body: Buffer): Message[] {
    const c = getLibc();
    const sequence = this.#sequence++;
    const request = encodeMessage({ type, flags, sequence }, body);
    if (c.send(this.#fd, request, request.length, 0) < 0) throw new NetlinkError(what, c.errno(), undefined);
    const answers: Message[] = [];
    for (;;) {
      for (const message of this.#receiveMessages(what)) {
        if (message.sequence !== sequence) continue; // the rest of an exchange that was given up
        if (message.type !== NLMSG.error && message.type !== NLMSG.done) {
          answers.push(message);
          continue;
        }
        const errno = message.payload.length >= 4 ? -message.payload.readInt32LE(0) : 0;
        if (errno !== 0) throw new NetlinkError(what, errno, readExplanation(message));
        return answers;
      }
    }
  }
}

/** One of several changes. */
export interface Change {
  /** As `execute` has it; asked for where the change is refused. */
  readonly what: () => string;
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** One message of a transaction. */
export interface BatchMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** NLMSGERR_ATTR_MSG behind the error code and the header of the request, which is not echoed (NETLINK_CAP_ACK). */
function readExplanation(message: Message): string | undefined {
  if (message.type !== NLMSG.error || (message.flags & NLM_FLAG.ackTlvs) === 0) return undefined;
  const text = decodeAttributes(message.payload.subarray(4 + HEADER_LENGTH)).get(NLMSGERR_ATTR_MSG);
  return text && readTerminatedText(text);
}
