/** The few libc calls that netlink and the agent need, through bun:ffi. Loaded on first use, so that Node can load what imports it. */

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  bind(fd: number, address: Buffer, length: number): number;
  send(fd: number, bytes: Buffer, length: number, flags: number): number;
  recv(fd: number, bytes: Buffer, length: number, flags: number): number;
  setns(fd: number, kind: number): number;
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  /** madvise(2). @param address of a page, as /proc/self/maps has it. @param length bytes */
  madvise(address: number, length: number, advice: number): number;
  /** _exit(2): ends the process now, without handlers. */
  exitNow(status: number): void;
  errno(): number;
}

interface BunFfi {
  dlopen(
    library: string,
    symbols: Readonly<Record<string, { readonly args: readonly string[]; readonly returns: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> };
  read: { i32(pointer: number, offset: number): number };
}

let loaded: Libc | undefined;

/** Throws without Bun: the tests under Node drive the compiled executable instead. */
export function getLibc(): Libc {
  loaded ??= loadLibc();
  return loaded;
}

function loadLibc(): Libc {
  if (!("Bun" in globalThis)) throw new Error("netlink needs the Bun runtime (bun:ffi); run plugin/dist/interlay");
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- resolved by Bun alone, and only when called
  const ffi = require("bun:ffi") as BunFfi;
  const { symbols } = ffi.dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "buffer", "u32"], returns: "i32" },
    bind: { args: ["i32", "buffer", "u32"], returns: "i32" },
    send: { args: ["i32", "buffer", "u32", "i32"], returns: "i32" },
    recv: { args: ["i32", "buffer", "u32", "i32"], returns: "i32" },
    setns: { args: ["i32", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    flock: { args: ["i32", "i32"], returns: "i32" },
    madvise: { args: ["u64", "u64", "i32"], returns: "i32" },
    _exit: { args: ["i32"], returns: "void" },
    __errno_location: { args: [], returns: "ptr" },
  });
  // Each as it is: a wrapper around all of them would be most of what a call costs.
  const call = (name: string) => {
    const symbol = symbols[name];
    if (symbol === undefined) throw new Error(`libc has no ${name}`);
    return symbol as (...args: readonly unknown[]) => number;
  };
  const errnoLocation = call("__errno_location");
  return {
    socket: call("socket"),
    setsockopt: call("setsockopt"),
    bind: call("bind"),
    send: call("send"),
    recv: call("recv"),
    setns: call("setns"),
    close: call("close"),
    flock: call("flock"),
    madvise: call("madvise"),
    exitNow: call("_exit"),
    errno: () => ffi.read.i32(errnoLocation(), 0),
  };
}
