import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { redactSecrets } from "../snapshot/redact.ts";
import { packArchive, unpackArchive } from "../../results/files/bundle.ts";
import {
  type Certificate,
  PREDICATE_TYPE,
  type Statement,
  statementSchema,
} from "../../results/certificate/certificate-schema.ts";
import type { Product } from "../../results/certificate/product.ts";
import type { ProfileName } from "../../results/certificate/certificate-schema.ts";
import { exportPublicKey, sealEnvelope } from "../../results/certificate/dsse.ts";
import { readReport } from "../../results/files/write.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import type { Report } from "../../results/schema.ts";
import { mergePeers } from "./merge-peers.ts";
import { renderSubmission } from "./renderings.ts";
import { assessRuns } from "./assess.ts";
import { BUNDLE_FILE, CERTIFICATE_FILE, createSubjects, FIRST_RUN_FILES } from "./submission-files.ts";
import { listSubjectFiles, PUBLIC_KEY_FILE, RUN_FILES } from "./submission-files.ts";

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
  /** Directory of a run of `npm run peers`, whose specs are added to the first run. */
  readonly peers?: string;
  /** Key in PEM to sign with. */
  readonly privateKey?: string;
}

/** Writes a submission into a directory. @returns its certificate */
export async function writeCertificate(submission: Submission, directory: string): Promise<Certificate> {
  const { runs, workers, claimed, product, privateKey } = submission;
  const reports = await readReports(submission);
  const certificate = {
    issued: new Date().toISOString(),
    product,
    ...assessRuns(reports, workers, claimed),
  };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "PRODUCT.yaml"), stringify(product));
  const staging = await mkdtemp(join(tmpdir(), "interlay-certificate-"));
  try {
    await copyRuns(runs, staging);
    await writeMerged(reports[0], join(staging, "runs", "1"));
    await packArchive(staging, join(directory, BUNDLE_FILE));
    for (const name of FIRST_RUN_FILES) await copyFile(join(staging, "runs/1", name), join(directory, name));
    const statement = statementSchema.parse({
      _type: "https://in-toto.io/Statement/v1",
      subject: await createSubjects(listSubjectFiles(directory, staging, certificate.runs)),
      predicateType: PREDICATE_TYPE,
      predicate: certificate,
    } satisfies Statement);
    const envelope = sealEnvelope(JSON.stringify(statement), privateKey);
    for (const [name, text] of await renderSubmission(statement.predicate, envelope, reports[0]))
      await writeFile(join(directory, name), text);
    await writeFile(join(directory, CERTIFICATE_FILE), `${JSON.stringify(envelope, null, 2)}\n`);
    if (privateKey !== undefined) await writeFile(join(directory, PUBLIC_KEY_FILE), exportPublicKey(privateKey));
    return statement.predicate;
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Reads the reports of the runs, the first one with the specs of other suites. */
async function readReports({ runs, peers }: Submission): Promise<readonly Report[]> {
  const [firstReport, ...otherReports] = await Promise.all(runs.map((run) => readReport(run.directory)));
  if (firstReport === undefined) throw new Error("no runs to certify");
  return [peers === undefined ? firstReport : mergePeers(firstReport, await readReport(peers)), ...otherReports];
}

/** Rewrites a run's report, to which the specs of other suites were added, in the formats of a submission. */
async function writeMerged(report: Report | undefined, folder: string): Promise<void> {
  if (report === undefined) return;
  await writeFile(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, "junit.xml"), toJunit(report));
  await writeFile(join(folder, "report.md"), toMarkdown(report));
}

/** Copies the files of runs to `runs/N/`, with logs redacted. */
async function copyRuns(runs: readonly RecordedRun[], target: string): Promise<void> {
  for (const [index, { directory, log }] of runs.entries()) {
    const folder = join(target, "runs", String(index + 1));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "e2e.log"), redactSecrets(log));
    for (const name of RUN_FILES.filter((file) => file !== "e2e.log"))
      await copyFile(join(directory, name), join(folder, name));
    await copySnapshot(join(directory, "bundle.tar.gz"), join(folder, "snapshot"));
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
