import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where everything that was built or downloaded is kept, outside the tree. `INTERLAY_CACHE` overrides. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env["INTERLAY_CACHE"]) return env["INTERLAY_CACHE"];
  return join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "interlay");
}

/** 16 hex digits that change exactly when one of `inputs` does. */
export function contentKey(...inputs: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}
