import { NetlinkError } from "../../netlink/socket.ts";

/** Error codes of the kernel for an object that does not exist. */
const NOT_FOUND_CODES = new Set(["ENOENT", "ESRCH", "ENODEV", "EADDRNOTAVAIL"]);

/** Runs a removal. Succeeds if the object does not exist. */
export function ignoreNotFound(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof NetlinkError && NOT_FOUND_CODES.has(error.code))) throw error;
  }
}
