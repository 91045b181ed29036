import { readdirSync, readlinkSync } from "node:fs";
import { getLibc } from "../netlink/libc.ts";
import { runInNamespace } from "../netlink/namespace.ts";
import { NetlinkSocket } from "../netlink/socket.ts";

/** Program of a test, run by Bun: `lost-answer` waits for an answer that never comes, `lost-namespace` cannot return to its own namespace. */
const OWN = "/proc/thread-self/ns/net";
const NLMSG_NOOP = 1;

function waitForLostAnswer(): void {
  const socket = NetlinkSocket.open();
  try {
    // The kernel answers a NOOP only if it is asked for an acknowledgement, which a dump does not.
    socket.dump("a lost answer", NLMSG_NOOP, Buffer.alloc(0));
  } catch (error) {
    process.stdout.write(`${String(error)}\n`);
  } finally {
    socket.close();
  }
}

/** Closes all descriptors of the own namespace while it is in another. */
function loseNamespace(): void {
  const ownNamespace = readlinkSync(OWN);
  runInNamespace(process.argv[3] ?? OWN, () => {
    for (const fd of readdirSync("/proc/self/fd"))
      try {
        if (readlinkSync(`/proc/self/fd/${fd}`) === ownNamespace) getLibc().close(Number(fd));
      } catch {
        // the descriptor of the directory, which is closed by now
      }
  });
  process.stdout.write("continued\n");
}

if (process.argv[2] === "lost-answer") waitForLostAnswer();
else
  try {
    loseNamespace();
  } catch (error) {
    process.stdout.write(`caught ${String(error)}\n`);
  }
