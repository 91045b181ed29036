import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Certificate } from "./schema.ts";

/** Prefix of the signed text: a signature of another document is not valid for a certificate. */
const CONTEXT = "interlay.certificate/v1\n";

/** Renders JSON with sorted keys and no white space (RFC 8785 for the types that a certificate contains). */
function canonicalizeJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalizeJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalizeJson(one)}`).join(",")}}`;
}

/**
 * Signs a certificate.
 * @param privateKeyPem Ed25519 key
 * @throws if the key has another type
 */
export function signCertificate(certificate: Certificate, privateKeyPem: string): Certificate {
  const key = requireEd25519(createPrivateKey(privateKeyPem));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  const value = sign(null, encodeUnsigned(certificate), key).toString("base64");
  return { ...certificate, signature: { algorithm: "ed25519", publicKey, value } };
}

/**
 * Verifies the signature.
 * @param trusted the vendor's public key in PEM, if known
 * @returns the problem; undefined if the signature is valid
 */
export function findSignatureProblem(certificate: Certificate, trusted?: string): string | undefined {
  const { signature } = certificate;
  if (signature === undefined) return trusted === undefined ? undefined : "The certificate is not signed.";
  try {
    const spki = Buffer.from(signature.publicKey, "base64");
    const key = requireEd25519(createPublicKey({ key: spki, type: "spki", format: "der" }));
    if (!verify(null, encodeUnsigned(certificate), key, Buffer.from(signature.value, "base64")))
      return "The signature does not match: the certificate was changed after it was signed.";
    if (trusted !== undefined && !createPublicKey(trusted).equals(key))
      return `The certificate is signed with another key (${fingerprintKey(signature.publicKey)}) than the given one.`;
    return undefined;
  } catch (error) {
    return `The signature cannot be checked: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

/** Returns the fingerprint of a key: `SHA256:` and the base64 digest of its DER encoding. */
export function fingerprintKey(publicKey: string): string {
  return `SHA256:${createHash("sha256").update(Buffer.from(publicKey, "base64")).digest("base64").replace(/=+$/, "")}`;
}

function encodeUnsigned({ signature: _, ...rest }: Certificate): Buffer {
  return Buffer.from(CONTEXT + canonicalizeJson(rest));
}

function requireEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "ed25519")
    throw new Error(`unsupported key type ${String(key.asymmetricKeyType)}: use an Ed25519 key`);
  return key;
}
