import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** In an offline kit (npm run kit) the cache lies in the project's own directory. */
export const KIT_CACHE = "kit-cache";
const PROJECT = join(import.meta.dirname, "..", "..");

/** Where everything that was built or downloaded is kept, outside the tree but in a kit. `INTERLAY_CACHE` overrides. */
export function getCacheRoot(env: NodeJS.ProcessEnv = process.env, project = PROJECT): string {
  if (env["INTERLAY_CACHE"]) return env["INTERLAY_CACHE"];
  const kit = join(project, KIT_CACHE);
  return existsSync(kit) ? kit : join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "interlay");
}

/** 16 hex digits that change exactly when one of `inputs` does. */
export function hashContent(...inputs: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}
