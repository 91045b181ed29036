import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Certificate } from "./schema.ts";

/** So that a signature under something else is none under a certificate. */
const CONTEXT = "interlay.certificate/v1\n";

/** JSON with sorted keys and no white space: the same value is the same text (RFC 8785 for what a certificate has). */
export function canonicalizeJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalizeJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalizeJson(one)}`).join(",")}}`;
}

/** Signs with a private key in PEM. Throws if it is not an Ed25519 key. */
export function signCertificate(certificate: Certificate, privateKeyPem: string): Certificate {
  const key = requireEd25519(createPrivateKey(privateKeyPem));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  const value = sign(null, encodeUnsigned(certificate), key).toString("base64");
  return { ...certificate, signature: { algorithm: "ed25519", publicKey, value } };
}

/** What is wrong with the signature; undefined if it is right. `trusted` (PEM) is the vendor's key, if it is known. */
export function findSignatureProblem(certificate: Certificate, trusted?: string): string | undefined {
  const { signature } = certificate;
  if (signature === undefined) return trusted === undefined ? undefined : "The certificate is not signed.";
  try {
    const spki = Buffer.from(signature.publicKey, "base64");
    const key = requireEd25519(createPublicKey({ key: spki, type: "spki", format: "der" }));
    if (!verify(null, encodeUnsigned(certificate), key, Buffer.from(signature.value, "base64")))
      return "The signature is not that of this certificate: it was changed after it was signed.";
    if (trusted !== undefined && !createPublicKey(trusted).equals(key))
      return `The certificate is signed with another key (${fingerprintKey(signature.publicKey)}) than the one given.`;
    return undefined;
  } catch (error) {
    return `The signature cannot be checked: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

/** What people compare: `SHA256:` and the digest of the key's DER, base64. */
export function fingerprintKey(publicKey: string): string {
  return `SHA256:${createHash("sha256").update(Buffer.from(publicKey, "base64")).digest("base64").replace(/=+$/, "")}`;
}

function encodeUnsigned({ signature: _, ...rest }: Certificate): Buffer {
  return Buffer.from(CONTEXT + canonicalizeJson(rest));
}

function requireEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "ed25519")
    throw new Error(`an ed25519 key is needed, not ${String(key.asymmetricKeyType)}`);
  return key;
}
