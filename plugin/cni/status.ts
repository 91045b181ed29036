import { CniError, CODE } from "./error.ts";
import { loadFacts } from "./facts-file.ts";

/** CNI spec 1.1.0, section 2 "STATUS": can ADD be served? Throws CniError with code 50 if not. */
export function status(factsFile: string): void {
  try {
    loadFacts(factsFile);
  } catch (error) {
    if (error instanceof CniError) throw new CniError(CODE.notAvailable, error.message, error.details);
    throw error;
  }
}
