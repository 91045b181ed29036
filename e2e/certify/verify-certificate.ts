import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { hashFile, unpackArchive } from "../../results/files/bundle.ts";
import type { Envelope } from "../../results/certificate/dsse.ts";
import type { Certificate, Statement } from "../../results/certificate/certificate-schema.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import { type Report, reportSchema } from "../../results/schema.ts";
import { stringify } from "yaml";
import { z } from "zod";
import { assessRuns } from "./assess.ts";
import { auditReport } from "./audit.ts";
import { renderSubmission } from "./renderings.ts";
import { findCopiedRuns } from "./copies.ts";
import { parseCertificateJson, readCertificate } from "./read-certificate.ts";
import { BUNDLE_FILE, FIRST_RUN_FILES, listSubjectFiles } from "./submission-files.ts";

/** Result of a verification. */
interface Verification {
  /** Undefined if the file is not a certificate. */
  readonly certificate?: Certificate;
  /** Fingerprints of the keys that signed it. */
  readonly keyids: readonly string[];
  /** One sentence for each problem; empty if the certificate follows from its raw results. */
  readonly problems: readonly string[];
}

/** Verifies certificate.json and the files next to it: signature, schema, digests, completeness, results. */
export async function verifyCertificate(file: string, trustedKey?: string): Promise<Verification> {
  const { envelope, statement, problems } = await readCertificate(file, trustedKey);
  const keyids = envelope?.signatures.map(({ keyid }) => keyid) ?? [];
  if (statement === undefined) return { keyids, problems };
  const fileProblems = await findFileProblems(statement, { signatures: envelope?.signatures ?? [] }, dirname(file));
  return { certificate: statement.predicate, keyids, problems: [...problems, ...fileProblems] };
}

async function findFileProblems(
  statement: Statement,
  envelope: Pick<Envelope, "signatures">,
  directory: string,
): Promise<readonly string[]> {
  const certificate = statement.predicate;
  let unpacked: string;
  try {
    unpacked = await unpackArchive(join(directory, BUNDLE_FILE));
  } catch (error) {
    return [`${BUNDLE_FILE} cannot be unpacked: ${getErrorMessage(error)}`];
  }
  try {
    return [
      ...(await findDigestProblems(statement, directory, unpacked)),
      ...(await findContentProblems(certificate, unpacked)),
      ...(await findCopyProblems(certificate, envelope, directory, unpacked)),
    ];
  } finally {
    await rm(unpacked, { recursive: true });
  }
}

/** Compares the subjects with the files. */
async function findDigestProblems(
  { subject, predicate }: Statement,
  directory: string,
  unpacked: string,
): Promise<readonly string[]> {
  const files = listSubjectFiles(directory, unpacked, predicate.runs);
  const problems = files.map(async ({ name, path }) => {
    const subjects = subject.filter((entry) => entry.name === name);
    if (subjects.length !== 1) return [`the certificate names ${name} ${subjects.length} times instead of once`];
    const actual = await hashFile(path).catch(() => undefined);
    if (actual === undefined) return [`${name} is missing`];
    return subjects[0]?.digest.sha256 === actual ? [] : [`${name} does not match its digest in the certificate`];
  });
  const unknown = subject.filter(({ name }) => !files.some((file) => file.name === name));
  return [
    ...(await Promise.all(problems)).flat(),
    ...unknown.map(({ name }) => `the certificate names ${name}, which is not a file of a submission`),
  ];
}

async function findContentProblems(certificate: Certificate, directory: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const reports: Report[] = [];
  const folders = (await readdir(join(directory, "runs")).catch(() => [])).map((name) => `runs/${name}`);
  for (const folder of folders.filter((name) => !certificate.runs.some((run) => run.folder === name)))
    problems.push(`${folder} is in the bundle, but not in the certificate`);
  for (const { folder } of certificate.runs) {
    const addProblem = (problem: string) => problems.push(`${folder}: ${problem}`);
    const readText = (name: string) => readFile(join(directory, folder, name), "utf8").catch(() => undefined);
    const raw = await readText("report.json");
    const parsed = reportSchema.safeParse(parseCertificateJson(raw));
    if (!parsed.success) {
      addProblem(
        raw === undefined ? "report.json is missing" : `report.json is invalid: ${z.prettifyError(parsed.error)}`,
      );
      continue;
    }
    const report = parsed.data;
    reports.push(report);
    if ((await readText("junit.xml")) !== toJunit(report)) addProblem("junit.xml does not match report.json");
    if ((await readText("report.md")) !== toMarkdown(report)) addProblem("report.md does not match report.json");
    if (((await readText("e2e.log")) ?? "") === "") addProblem("e2e.log is missing");
    auditReport(report, certificate.workers).forEach(addProblem);
  }
  problems.push(...findCopiedRuns(reports));
  if (reports.length === certificate.runs.length) problems.push(...findDifferences(certificate, reports));
  return problems;
}

/** Compares files outside the bundle with the certificate and the first run. */
async function findCopyProblems(
  certificate: Certificate,
  envelope: Pick<Envelope, "signatures">,
  directory: string,
  unpacked: string,
): Promise<readonly string[]> {
  const readText = (...path: readonly string[]) => readFile(join(...path), "utf8").catch(() => undefined);
  const first = certificate.runs[0]?.folder ?? "";
  const copies = FIRST_RUN_FILES.map(async (name) => [name, await readText(unpacked, first, name)] as const);
  const report = reportSchema.safeParse(parseCertificateJson(await readText(unpacked, first, "report.json")));
  const expected = [
    ["PRODUCT.yaml", stringify(certificate.product)] as const,
    ...(await Promise.all(copies)),
    ...(await renderSubmission(certificate, envelope, report.data)),
  ];
  const actualTexts = await Promise.all(expected.map(([name]) => readText(directory, name)));
  return expected.flatMap(([name, content], index) =>
    actualTexts[index] === content ? [] : [`${name} does not match certificate and bundle`],
  );
}

/** Finds properties of the certificate that differ from the raw results. */
function findDifferences(certificate: Certificate, reports: readonly Report[]): readonly string[] {
  try {
    const claimed = certificate.profiles.filter((profile) => profile.claimed).map(({ name }) => name);
    const derived = Object.entries({
      datapath: undefined,
      components: undefined,
      ...assessRuns(reports, certificate.workers, claimed),
    });
    return derived
      .filter(([key, value]) => !isDeepStrictEqual(certificate[key as keyof Certificate], value))
      .map(([key]) => `the certificate's ${key} does not match the raw results`);
  } catch (error) {
    return [getErrorMessage(error)];
  }
}
