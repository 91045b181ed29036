import { NetlinkError } from "../../netlink/socket.ts";

/** What says that there is nothing to remove. */
const NOT_FOUND_CODES = new Set(["ENOENT", "ESRCH", "ENODEV", "EADDRNOTAVAIL"]);

/** Removes something; that it is gone already is what was wanted. */
export function ignoreNotFound(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof NetlinkError && NOT_FOUND_CODES.has(error.code))) throw error;
  }
}
