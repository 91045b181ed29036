/** The used part of a hash object of Bun or Node.js. */
interface Hasher {
  update(text: string): Hasher;
  digest(encoding: "hex"): string;
}
interface BunHashes {
  readonly CryptoHasher: new (algorithm: "sha256") => Hasher;
}

/**
 * Returns the SHA-256 of a text in hexadecimal. Uses Bun's implementation if available: loading node:crypto takes 1.6 ms of the 7 ms
 * of a call of the plugin.
 */
export function hashSha256(text: string): string {
  const { Bun: bun } = globalThis as { readonly Bun?: BunHashes };
  const hasher = bun ? new bun.CryptoHasher("sha256") : process.getBuiltinModule("node:crypto").createHash("sha256");
  return hasher.update(text).digest("hex");
}
