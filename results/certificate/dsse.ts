import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";

/** Payload type of an in-toto statement. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** An envelope of DSSE 1.0 (github.com/secure-systems-lab/dsse): a payload and signatures over its exact bytes. */
export const envelopeSchema = z.strictObject({
  payloadType: z.string(),
  payload: z.base64(),
  /** Empty if the vendor has no key. */
  signatures: z.array(z.strictObject({ keyid: z.string(), sig: z.base64() })),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** Returns DSSE's pre-authentication encoding, which is what is signed. */
export function encodePae(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/**
 * Puts a payload into an envelope.
 * @param privateKeyPem Ed25519 key; without it the envelope has no signature
 * @throws if the key has another type
 */
export function sealEnvelope(text: string, privateKeyPem?: string): Envelope {
  const payload = Buffer.from(text);
  const envelope = { payloadType: PAYLOAD_TYPE, payload: payload.toString("base64"), signatures: [] };
  if (privateKeyPem === undefined) return envelope;
  const key = requireEd25519(createPrivateKey(privateKeyPem));
  const sig = sign(null, encodePae(PAYLOAD_TYPE, payload), key).toString("base64");
  return { ...envelope, signatures: [{ keyid: fingerprintKey(createPublicKey(key)), sig }] };
}

/** Returns the public key of a private key in PEM. */
export function exportPublicKey(privateKeyPem: string): string {
  return createPublicKey(createPrivateKey(privateKeyPem)).export({ type: "spki", format: "pem" }).toString();
}

/** Returns the payload as text. */
export function readPayload({ payload }: Envelope): string {
  return Buffer.from(payload, "base64").toString("utf8");
}

/**
 * Verifies that one of the signatures was made with the given key.
 * @param publicKeyPem if undefined, the envelope must have no signature
 * @returns the problem; undefined if there is none
 */
export function findSignatureProblem(envelope: Envelope, publicKeyPem?: string): string | undefined {
  const { signatures, payload, payloadType } = envelope;
  if (publicKeyPem === undefined)
    return signatures.length === 0 ? undefined : "the public key is missing: pass --public-key FILE";
  if (signatures.length === 0) return "the certificate is not signed";
  try {
    const key = requireEd25519(createPublicKey(publicKeyPem));
    const signed = encodePae(payloadType, Buffer.from(payload, "base64"));
    if (signatures.some(({ sig }) => verify(null, signed, key, Buffer.from(sig, "base64")))) return undefined;
    const keyid = fingerprintKey(key);
    return signatures.some((signature) => signature.keyid === keyid)
      ? "the signature does not match: the certificate was changed after it was signed"
      : `the certificate is signed with another key (${signatures.map((signature) => signature.keyid).join(", ")}) than the given one (${keyid})`;
  } catch (error) {
    return `the signature cannot be checked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Returns the fingerprint of a public key: `SHA256:` and the base64 digest of its DER encoding. */
function fingerprintKey(key: KeyObject): string {
  const der = key.export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(der).digest("base64").replace(/=+$/, "")}`;
}

function requireEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "ed25519")
    throw new Error(`unsupported key type ${String(key.asymmetricKeyType)}: use an Ed25519 key`);
  return key;
}
