import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { encodePae, findSignatureProblem, readPayload, sealEnvelope } from "./dsse.ts";

const createKeys = () =>
  generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

describe("the DSSE envelope", () => {
  const { publicKey, privateKey } = createKeys();

  it("encodes the example of the DSSE protocol", () => {
    const encoded = encodePae("http://example.com/HelloWorld", Buffer.from("hello world"));
    assert.equal(encoded.toString(), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  it("counts bytes, not characters", () => {
    assert.equal(encodePae("t", Buffer.from("ü")).toString(), "DSSEv1 1 t 2 ü");
  });

  it("contains the payload and a signature that is valid", () => {
    const envelope = sealEnvelope('{"a":"ü"}', privateKey);
    assert.equal(readPayload(envelope), '{"a":"ü"}');
    assert.equal(findSignatureProblem(envelope, publicKey), undefined);
  });

  it("accepts one valid signature of several", () => {
    const [one, other] = [sealEnvelope("{}", createKeys().privateKey), sealEnvelope("{}", privateKey)];
    const both = { ...one, signatures: [...one.signatures, ...other.signatures] };
    assert.equal(findSignatureProblem(both, publicKey), undefined);
  });

  it("has no signature without a key", () => {
    const envelope = sealEnvelope("{}");
    assert.deepEqual(envelope.signatures, []);
    assert.equal(findSignatureProblem(envelope), undefined);
    assert.match(findSignatureProblem(envelope, publicKey) ?? "", /not signed/);
  });

  it("rejects keys of other types", () => {
    const rsa = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    assert.throws(() => sealEnvelope("{}", rsa.privateKey), /use an Ed25519 key/);
    assert.match(findSignatureProblem(sealEnvelope("{}", privateKey), rsa.publicKey) ?? "", /use an Ed25519 key/);
  });
});
