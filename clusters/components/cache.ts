import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Directory in the project that replaces the user's cache if it exists. Only offline kits (npm run kit) contain it. */
export const KIT_CACHE = "kit-cache";
const PROJECT = join(import.meta.dirname, "..", "..");

/**
 * Returns the directory of all built and downloaded files: `INTERLAY_CACHE`, else that of the kit, else the user's cache.
 *
 * @param project root directory of the project
 */
export function getCacheRoot(env: NodeJS.ProcessEnv = process.env, project = PROJECT): string {
  if (env["INTERLAY_CACHE"]) return env["INTERLAY_CACHE"];
  const kitCache = join(project, KIT_CACHE);
  return existsSync(kitCache) ? kitCache : join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "interlay");
}

/** Returns the first 16 hex digits of the SHA-256 of the inputs, encoded as JSON. */
export function hashContent(...inputs: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}
