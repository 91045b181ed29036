import { NetlinkError } from "../netlink/socket.ts";

/** What says that there is nothing to remove. */
const GONE = new Set(["ENOENT", "ESRCH", "ENODEV", "EADDRNOTAVAIL"]);

/** Removes something; that it is gone already is what was wanted. */
export function gone(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof NetlinkError && GONE.has(error.code))) throw error;
  }
}
