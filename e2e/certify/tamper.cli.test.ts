import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { signCertificate } from "../../results/certificate/signature.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import { healthyReport } from "./example.ts";
import { type Tamperer, createTamperer, foreignKeys, vendorKeys } from "./tamper.ts";

describe("a certificate that was tampered with", function () {
  this.timeout(60_000);
  let forger: Tamperer;
  before(async () => (forger = await createTamperer()));
  after(() => forger.remove());

  it("is accepted without tampering, signed or unsigned", async () => {
    assert.deepEqual(await forger.problemsOf(forger.genuine, vendorKeys.publicKey), []);
    assert.deepEqual(await forger.problemsOf(forger.unsigned), []);
    assert.equal((await forger.read(forger.genuine)).result, "pass");
  });

  const found: Record<string, readonly [RegExp, () => Promise<string>, string?]> = {
    "a byte of the bundle": [
      /is not the one that the certificate names/,
      async () => {
        const copy = await forger.copyOf(forger.genuine);
        const bundle = await readFile(join(copy, "bundle.tar.gz"));
        bundle.writeUInt8(bundle.readUInt8(1000) ^ 1, 1000);
        await writeFile(join(copy, "bundle.tar.gz"), bundle);
        return copy;
      },
    ],
    "a bundle that is not there": [
      /is missing/,
      async () => {
        const copy = await forger.copyOf(forger.genuine);
        await rm(join(copy, "bundle.tar.gz"));
        return copy;
      },
    ],
    "another product's name on a signed one": [
      /changed after it was signed/,
      () => forger.change(forger.genuine, (one) => ({ ...one, product: { ...one.product, name: "Other Cloud" } })),
    ],
    "another key's signature": [
      /signed with another key/,
      () =>
        forger.change(forger.genuine, (one) =>
          signCertificate({ ...one, issued: "2030-01-01T00:00:00.000Z" }, foreignKeys.privateKey),
        ),
      vendorKeys.publicKey,
    ],
    "the signature taken off": [
      /is not signed/,
      () => forger.change(forger.genuine, ({ signature: _, ...rest }) => rest),
      vendorKeys.publicKey,
    ],
    "the key exchanged under the signature": [
      /changed after it was signed/,
      () =>
        forger.change(forger.genuine, (one) => ({
          ...one,
          signature: {
            ...one.signature,
            publicKey: foreignKeys.publicKey.replaceAll(/-----[A-Z ]+-----|\n/g, ""),
          },
        })),
    ],
    "a property that the schema does not know": [
      /does not fit its schema/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, level: "gold" })),
    ],
    "a profile's result": [
      /certificate's profiles is not/,
      () =>
        forger.change(forger.unsigned, (one) => ({
          ...one,
          profiles: one.profiles.map((profile) => ({ ...profile, result: "pass" })),
        })),
    ],
    "an entry of the table": [
      /certificate's variants is not/,
      () =>
        forger.change(forger.unsigned, (one) => ({
          ...one,
          variants: one.variants.map((variant) => ({
            ...variant,
            table: variant.table.map((row) => row.map(() => "pass")),
          })),
        })),
    ],
    "a component's version": [
      /certificate's versions is not/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, versions: { ...one.versions, kernel: "7.0" } })),
    ],
    "fewer nodes than there were": [
      /is none of the suite's/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, workers: 1 })),
    ],
    "more nodes than there were": [
      /is missing/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, workers: 10 })),
    ],
    "a variant taken off the certificate": [
      /certificate's variants is not/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, variants: one.variants.slice(1) })),
    ],
    "a run taken off the certificate": [
      /runs\/2 is in the bundle/,
      () => forger.change(forger.unsigned, (one) => ({ ...one, runs: one.runs.slice(0, 1) })),
    ],
    "a run taken out of the bundle": [
      /runs\/2: report.json is missing/,
      () => forger.repack((inside) => rm(join(inside, "runs", "2"), { recursive: true })),
    ],
    "a report that does not fit the schema": [
      /report.json does not fit its schema/,
      () =>
        forger.repack((inside) =>
          writeFile(join(inside, "runs/1/report.json"), JSON.stringify({ ...healthyReport(2, 1), variants: 1 })),
        ),
    ],
    "junit.xml": [
      /junit.xml is not that of report.json/,
      () => forger.repack((inside) => writeFile(join(inside, "runs/1/junit.xml"), toJunit(healthyReport(1, 1)))),
    ],
    "report.md": [
      /report.md is not that of report.json/,
      () =>
        forger.repack((inside) => writeFile(join(inside, "runs/1/report.md"), `${toMarkdown(healthyReport(2, 1))}\n`)),
    ],
    "the log": [/e2e.log is missing/, () => forger.repack((inside) => rm(join(inside, "runs/1/e2e.log")))],
  };
  for (const name of ["PRODUCT.yaml", "junit_01.xml", "e2e.log"])
    it(`is rejected: ${name} next to the bundle`, async () => {
      const copy = await forger.copyOf(forger.genuine);
      await writeFile(join(copy, name), "all passed");
      assert.deepEqual(await forger.problemsOf(copy), [`${name} is not what certificate and bundle say.`]);
    });

  for (const [what, [problem, tamper, trusted]] of Object.entries(found))
    it(`is refused: ${what}`, async () => {
      const problems = await forger.problemsOf(await tamper(), trusted);
      assert.match(problems.join("\n"), problem);
    });
});
