import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";

/**
 * Creates an Ed25519 key pair: the private key in `file`, the public key in `file.pub`.
 * @throws if a file exists
 */
export async function createKeyPair(file: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  await writeFile(`${file}.pub`, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
}
