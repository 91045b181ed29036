import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCertificate } from "./assemble.ts";
import { createHealthyReport, writeRun } from "./example.ts";
import { verifyCertificate } from "./verify-certificate.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("a submission with the specs of another suite", function () {
  this.timeout(60_000);
  const root = useDirectory("suite");

  it("has them in report.json, junit.xml and certificate, and verifies", async () => {
    const runs = [1, 2].map(async (number) => ({
      directory: await writeRun(createHealthyReport(2, number), join(root, `run-${number}`)),
      log: "log",
    }));
    const checks = ["overlay", "underlay", "multi-nic"].map((podType) => ({
      name: `sig-network / ${podType} / Services should serve a basic endpoint`,
      status: "passed" as const,
      seconds: 1,
    }));
    const peers = await writeRun({ ...createHealthyReport(2, 3), variants: [], checks }, join(root, "peers"));
    const product = { vendor: "V", name: "P", version: "1" };
    const submission = {
      runs: await Promise.all(runs),
      workers: 2,
      claimed: ["base", "sig-network"] as const,
      product,
    };
    const directory = join(root, "submission");
    const certificate = await writeCertificate({ ...submission, peers }, directory);
    assert.equal(certificate.result, "pass");
    for (const name of ["report.json", "junit.xml"])
      assert.match(await readFile(join(directory, name), "utf8"), /sig-network \/ underlay \/ Services/);
    assert.deepEqual((await verifyCertificate(join(directory, "certificate.json"))).problems, []);
  });
});
