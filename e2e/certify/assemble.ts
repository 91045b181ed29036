import { copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { redactSecrets } from "../snapshot/redact.ts";
import { hashFile, packArchive, unpackArchive } from "../../results/bundle.ts";
import { type Certificate, CERTIFICATE_SCHEMA, certificateSchema } from "../../results/certificate/schema.ts";
import type { Product, ProfileName } from "../../results/certificate/schema.ts";
import { signCertificate } from "../../results/certificate/signature.ts";
import { readReport } from "../../results/write.ts";
import { assessRuns } from "./assess.ts";

/** A run to be certified. */
export interface RecordedRun {
  /** Directory in results/runs. */
  readonly directory: string;
  /** Output of the run. */
  readonly log: string;
}

/** Input of a certificate. */
interface Submission {
  readonly runs: readonly RecordedRun[];
  readonly workers: number;
  readonly claimed: readonly ProfileName[];
  readonly product: Product;
  /** Version of the suite. */
  readonly suite: string;
  /** Key in PEM to sign with. */
  readonly privateKey?: string;
}

/** Writes certificate.json, bundle.tar.gz and the other files of a submission into `directory`. */
export async function writeCertificate(submission: Submission, directory: string): Promise<Certificate> {
  const { runs, workers, claimed, product, suite, privateKey } = submission;
  await mkdir(directory, { recursive: true });
  const bundle = join(directory, "bundle.tar.gz");
  await packRuns(runs, bundle);
  const reports = await Promise.all(runs.map((run) => readReport(run.directory)));
  const unsigned: Certificate = {
    schema: CERTIFICATE_SCHEMA,
    issued: new Date().toISOString(),
    product,
    suite,
    ...assessRuns(reports, workers, claimed),
    bundle: { file: "bundle.tar.gz", sha256: await hashFile(bundle), bytes: (await stat(bundle)).size },
  };
  const certificate = certificateSchema.parse(
    privateKey === undefined ? unsigned : signCertificate(unsigned, privateKey),
  );
  const [first] = runs;
  await Promise.all([
    writeFile(join(directory, "certificate.json"), `${JSON.stringify(certificate, null, 2)}\n`),
    writeFile(join(directory, "PRODUCT.yaml"), stringify(product)),
    // Copies for reviewers outside of the bundle, from the first run.
    ...(first === undefined
      ? []
      : [
          copyFile(join(first.directory, "junit.xml"), join(directory, "junit_01.xml")),
          writeFile(join(directory, "e2e.log"), redactSecrets(first.log)),
        ]),
  ]);
  return certificate;
}

async function packRuns(runs: readonly RecordedRun[], archive: string): Promise<void> {
  const staging = await mkdtemp(join(tmpdir(), "interlay-certificate-"));
  try {
    for (const [index, { directory, log }] of runs.entries()) {
      const folder = join(staging, "runs", String(index + 1));
      await mkdir(folder, { recursive: true });
      for (const name of ["report.json", "junit.xml", "report.md"])
        await copyFile(join(directory, name), join(folder, name));
      await writeFile(join(folder, "e2e.log"), redactSecrets(log));
      await copySnapshot(join(directory, "bundle.tar.gz"), join(folder, "snapshot"));
    }
    await packArchive(staging, archive);
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Copies the snapshot of nodes and pods from the run's bundle, if it has one. */
async function copySnapshot(bundle: string, target: string): Promise<void> {
  if ((await readFile(bundle).catch(() => undefined)) === undefined) return;
  const unpacked = await unpackArchive(bundle);
  try {
    await cp(join(unpacked, "snapshot"), target, { recursive: true });
  } finally {
    await rm(unpacked, { recursive: true });
  }
}
