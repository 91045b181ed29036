interface Hasher {
  update(text: string): Hasher;
  digest(encoding: "hex"): string;
}
interface BunHashes {
  readonly CryptoHasher: new (algorithm: "sha256") => Hasher;
}

/** Returns SHA-256 in hexadecimal. Uses Bun's implementation if available: loading node:crypto costs a plugin's call 1.6 ms of its 7. */
export function hashSha256(text: string): string {
  const { Bun: bun } = globalThis as { readonly Bun?: BunHashes };
  const hasher = bun ? new bun.CryptoHasher("sha256") : process.getBuiltinModule("node:crypto").createHash("sha256");
  return hasher.update(text).digest("hex");
}
