import { findErrnoName } from "./errno.ts";
import { getLibc } from "./libc.ts";

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const ETH_P_ALL = 0x0003;
const SOL_SOCKET = 1;
/** 64-bit time_t: the struct of SO_RCVTIMEO is two 64-bit words. */
const SO_RCVTIMEO = 20;
const FRAME_BYTES = 2048;

/** Whole Ethernet frames of one link, both ways. Synchronous. packet(7). */
export class PacketSocket {
  readonly #fd: number;
  readonly #receive = Buffer.allocUnsafe(FRAME_BYTES);

  /** @param link index in the namespace that the thread is in */
  constructor(link: number) {
    const c = getLibc();
    const protocol = Buffer.alloc(2);
    protocol.writeUInt16BE(ETH_P_ALL);
    // Without a protocol nothing is received before the socket is bound to its link.
    this.#fd = c.socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0);
    if (this.#fd < 0) throw new Error(`socket(AF_PACKET): ${findErrnoName(c.errno())}`);
    const address = Buffer.alloc(20); // sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    protocol.copy(address, 2);
    address.writeInt32LE(link, 4);
    if (c.bind(this.#fd, address, address.length) !== 0) {
      const errno = c.errno();
      this.close();
      throw new Error(`bind to link ${link}: ${findErrnoName(errno)}`);
    }
  }

  send(frame: Buffer): void {
    const c = getLibc();
    if (c.send(this.#fd, frame, frame.length, 0) < 0) throw new Error(`send a frame: ${findErrnoName(c.errno())}`);
  }

  /** The next frame; undefined if none comes within `milliseconds` (at least one). */
  receive(milliseconds: number): Buffer | undefined {
    const c = getLibc();
    const microseconds = Math.max(1, Math.round(milliseconds)) * 1000;
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(Math.floor(microseconds / 1_000_000)), 0);
    time.writeBigInt64LE(BigInt(microseconds % 1_000_000), 8);
    c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, time, time.length);
    const length = c.recv(this.#fd, this.#receive, FRAME_BYTES, 0);
    return length < 0 ? undefined : Buffer.from(this.#receive.subarray(0, length));
  }

  close(): void {
    getLibc().close(this.#fd);
  }
}
