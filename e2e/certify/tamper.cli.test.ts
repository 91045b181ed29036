import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sealEnvelope, readPayload } from "../../results/certificate/dsse.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import { createHealthyReport } from "./example.ts";
import { type TamperTool, createTamperTool, foreignKeys, vendorKeys } from "./tamper.ts";

describe("a certificate that was tampered with", function () {
  this.timeout(60_000);
  let tool: TamperTool;
  before(async () => (tool = await createTamperTool()));
  after(() => tool.remove());

  it("is accepted without tampering, signed or unsigned", async () => {
    assert.deepEqual(await tool.findProblems(tool.genuine, vendorKeys.publicKey), []);
    assert.deepEqual(await tool.findProblems(tool.unsigned), []);
    assert.equal((await tool.readCertificate(tool.genuine)).result, "pass");
  });

  const found: Record<string, readonly [RegExp, () => Promise<string>, string?]> = {
    "a byte of the bundle": [
      /bundle.tar.gz cannot be unpacked|bundle.tar.gz does not match its digest/,
      async () => {
        const copy = await tool.createCopy(tool.genuine);
        const bundle = await readFile(join(copy, "bundle.tar.gz"));
        bundle.writeUInt8(bundle.readUInt8(1000) ^ 1, 1000);
        await writeFile(join(copy, "bundle.tar.gz"), bundle);
        return copy;
      },
    ],
    "a bundle that is missing": [
      /bundle.tar.gz cannot be unpacked/,
      async () => {
        const copy = await tool.createCopy(tool.genuine);
        await rm(join(copy, "bundle.tar.gz"));
        return copy;
      },
    ],
    "another product in a signed certificate": [
      /changed after it was signed/,
      () =>
        tool.changeCertificate(tool.genuine, (one) => ({ ...one, product: { ...one.product, name: "Other Cloud" } })),
    ],
    "another key's signature": [
      /signed with another key/,
      () =>
        tool.changeEnvelope(tool.genuine, (envelope) => sealEnvelope(readPayload(envelope), foreignKeys.privateKey)),
      vendorKeys.publicKey,
    ],
    "another key's signature under the vendor's key id": [
      /changed after it was signed/,
      () =>
        tool.changeEnvelope(tool.genuine, (envelope) => {
          const forged = sealEnvelope(readPayload(envelope), foreignKeys.privateKey);
          const keyid = envelope.signatures[0]?.keyid ?? "";
          return { ...forged, signatures: forged.signatures.map((one) => ({ ...one, keyid })) };
        }),
      vendorKeys.publicKey,
    ],
    "a removed signature": [
      /is not signed/,
      () => tool.changeEnvelope(tool.genuine, (envelope) => ({ ...envelope, signatures: [] })),
      vendorKeys.publicKey,
    ],
    "a removed signature, without a trusted key": [
      /is not signed/,
      () => tool.changeEnvelope(tool.genuine, (envelope) => ({ ...envelope, signatures: [] })),
    ],
    "a removed public key, without a trusted key": [
      /public key is missing/,
      async () => {
        const copy = await tool.createCopy(tool.genuine);
        await rm(join(copy, "certificate.pub"));
        return copy;
      },
    ],
    "another public key next to it": [
      /signed with another key/,
      async () => {
        const copy = await tool.createCopy(tool.genuine);
        await writeFile(join(copy, "certificate.pub"), foreignKeys.publicKey);
        return copy;
      },
    ],
    "another payload type under the signature": [
      /changed after it was signed[^]*payload type is application\/json/,
      () => tool.changeEnvelope(tool.genuine, (envelope) => ({ ...envelope, payloadType: "application/json" })),
    ],
    "a property of the envelope that DSSE does not have": [
      /is not a DSSE envelope/,
      () => tool.changeEnvelope(tool.genuine, (envelope) => ({ ...envelope, trusted: true })),
    ],
    "a payload that is not JSON": [
      /is invalid/,
      () => tool.changeEnvelope(tool.unsigned, (envelope) => ({ ...envelope, payload: "bm9uZQ==" })),
    ],
    "a statement of another type": [
      /is invalid/,
      () => tool.changeStatement(tool.unsigned, (one) => ({ ...one, predicateType: "https://slsa.dev/provenance/v1" })),
    ],
    "a subject that is missing": [
      /names bundle.tar.gz 0 times/,
      () =>
        tool.changeStatement(tool.unsigned, (one) => ({
          ...one,
          subject: one.subject.filter(({ name }) => name !== "bundle.tar.gz"),
        })),
    ],
    "a subject that is not a file of a submission": [
      /names extra.bin, which is not/,
      () =>
        tool.changeStatement(tool.unsigned, (one) => ({
          ...one,
          subject: [...one.subject, { name: "extra.bin", digest: { sha256: "0".repeat(64) } }],
        })),
    ],
    "a certificate of the old format": [
      /old format interlay.certificate\/v1/,
      () => tool.changeEnvelope(tool.genuine, () => ({ schema: "interlay.certificate/v1", suite: "0.1.0" })),
    ],
    "an unknown property": [
      /is invalid/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, level: "gold" })),
    ],
    "a profile's result": [
      /certificate's profiles does not match/,
      () =>
        tool.changeCertificate(tool.unsigned, (one) => ({
          ...one,
          profiles: one.profiles.map((profile) => ({ ...profile, result: "pass" })),
        })),
    ],
    "an entry of the table": [
      /certificate's variants does not match/,
      () =>
        tool.changeCertificate(tool.unsigned, (one) => ({
          ...one,
          variants: one.variants.map((variant) => ({
            ...variant,
            table: variant.table.map((row) => row.map(() => "pass")),
          })),
        })),
    ],
    "a component's version": [
      /certificate's versions does not match/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, versions: { ...one.versions, kernel: "7.0" } })),
    ],
    "an image of a component": [
      /certificate's components does not match/,
      () =>
        tool.changeCertificate(tool.unsigned, ({ components, ...one }) => ({
          ...one,
          components: { ...components, images: [{ image: "vendor/cni:2.0" }] },
        })),
    ],
    "the components": [
      /certificate's components does not match/,
      () => tool.changeCertificate(tool.unsigned, ({ components: _, ...one }) => one),
    ],
    "the commit of the suite": [
      /certificate's suite does not match/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, suite: { version: "1.2.3" } })),
    ],
    "fewer nodes than in the run": [
      /is unknown to the suite/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, workers: 1 })),
    ],
    "more nodes than in the run": [
      /is missing/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, workers: 10 })),
    ],
    "a variant missing from the certificate": [
      /certificate's variants does not match/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, variants: one.variants.slice(1) })),
    ],
    "a run missing from the certificate": [
      /runs\/2 is in the bundle/,
      () => tool.changeCertificate(tool.unsigned, (one) => ({ ...one, runs: one.runs.slice(0, 1) })),
    ],
    "a run missing from the bundle": [
      /runs\/2: report.json is missing/,
      () => tool.changeBundle((inside) => rm(join(inside, "runs", "2"), { recursive: true })),
    ],
    "an invalid report": [
      /report.json is invalid/,
      () =>
        tool.changeBundle((inside) =>
          writeFile(join(inside, "runs/1/report.json"), JSON.stringify({ ...createHealthyReport(2, 1), variants: 1 })),
        ),
    ],
    "junit.xml": [
      /junit.xml does not match report.json/,
      () =>
        tool.changeBundle((inside) => writeFile(join(inside, "runs/1/junit.xml"), toJunit(createHealthyReport(1, 1)))),
    ],
    "report.md": [
      /report.md does not match report.json/,
      () =>
        tool.changeBundle((inside) =>
          writeFile(join(inside, "runs/1/report.md"), `${toMarkdown(createHealthyReport(2, 1))}\n`),
        ),
    ],
    "the log": [/e2e.log is missing/, () => tool.changeBundle((inside) => rm(join(inside, "runs/1/e2e.log")))],
  };
  for (const name of ["PRODUCT.yaml", "report.json", "junit.xml", "e2e.log"])
    it(`is rejected: ${name} next to the bundle`, async () => {
      const copy = await tool.createCopy(tool.genuine);
      await writeFile(join(copy, name), "all passed");
      assert.deepEqual(await tool.findProblems(copy), [
        `${name} does not match its digest in the certificate`,
        `${name} does not match certificate and bundle`,
      ]);
    });

  for (const name of ["README.md", "certificate.html"])
    it(`is rejected: another ${name}`, async () => {
      const copy = await tool.createCopy(tool.genuine);
      await writeFile(join(copy, name), "all passed");
      assert.deepEqual(await tool.findProblems(copy), [`${name} does not match certificate and bundle`]);
    });

  for (const [what, [problem, tamper, trusted]] of Object.entries(found))
    it(`is rejected: ${what}`, async () => {
      const problems = await tool.findProblems(await tamper(), trusted);
      assert.match(problems.join("\n"), problem);
    });
});
