import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Directory of the project that is the cache in an offline kit (npm run kit). */
export const KIT_CACHE = "kit-cache";
const PROJECT = join(import.meta.dirname, "..", "..");

/** Returns the directory of all built and downloaded files: `INTERLAY_CACHE`, the kit's, or the user's cache. */
export function getCacheRoot(env: NodeJS.ProcessEnv = process.env, project = PROJECT): string {
  if (env["INTERLAY_CACHE"]) return env["INTERLAY_CACHE"];
  const kit = join(project, KIT_CACHE);
  return existsSync(kit) ? kit : join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "interlay");
}

/** Returns 16 hex digits that depend on all inputs. */
export function hashContent(...inputs: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}
