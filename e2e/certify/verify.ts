import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { hashFile, unpackArchive } from "../../results/bundle.ts";
import { type Certificate, certificateSchema } from "../../results/certificate/schema.ts";
import { findSignatureProblem } from "../../results/certificate/signature.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import { type Report, reportSchema } from "../../results/schema.ts";
import { stringify } from "yaml";
import { z } from "zod";
import { assessRuns } from "./assess.ts";
import { auditReport } from "./audit.ts";
import { findCopiedRuns } from "./copies.ts";

/** Result of a verification. */
interface Verification {
  /** Undefined if the file is not a certificate. */
  readonly certificate?: Certificate;
  /** One sentence for each problem; empty if the certificate follows from its raw results. */
  readonly problems: readonly string[];
}

/**
 * Verifies certificate.json and bundle.tar.gz next to it: schema, signature, digest, completeness and verdicts.
 * @param trustedKey public key in PEM that must have signed it
 */
export async function verifyCertificate(file: string, trustedKey?: string): Promise<Verification> {
  const text = await readFile(file, "utf8");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { problems: [`${file} is not valid JSON`] };
  }
  const parsed = certificateSchema.safeParse(document);
  if (!parsed.success) return { problems: [`the certificate is invalid: ${z.prettifyError(parsed.error)}`] };
  const certificate = parsed.data;
  const signature = findSignatureProblem(certificate, trustedKey);
  const problems = [
    ...(signature === undefined ? [] : [signature]),
    ...(await findBundleProblems(certificate, join(dirname(file), certificate.bundle.file))),
  ];
  return { certificate, problems };
}

async function findBundleProblems(certificate: Certificate, bundle: string): Promise<readonly string[]> {
  const size = await stat(bundle).catch(() => undefined);
  if (size === undefined) return [`${bundle} is missing: it must be next to the certificate`];
  const digest = await hashFile(bundle);
  if (digest !== certificate.bundle.sha256 || size.size !== certificate.bundle.bytes)
    return [`bundle.tar.gz does not match the certificate: sha256 ${digest}, ${size.size} bytes`];
  let directory: string;
  try {
    directory = await unpackArchive(bundle);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  try {
    return [
      ...(await findContentProblems(certificate, directory)),
      ...(await findCopyProblems(certificate, dirname(bundle), directory)),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function findContentProblems(certificate: Certificate, directory: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const reports: Report[] = [];
  const folders = (await readdir(join(directory, "runs")).catch(() => [])).map((name) => `runs/${name}`);
  for (const folder of folders.filter((name) => !certificate.runs.some((run) => run.folder === name)))
    problems.push(`${folder} is in the bundle, but not in the certificate`);
  for (const { folder } of certificate.runs) {
    const addProblem = (problem: string) => problems.push(`${folder}: ${problem}`);
    const text = (name: string) => readFile(join(directory, folder, name), "utf8").catch(() => undefined);
    const raw = await text("report.json");
    const parsed = reportSchema.safeParse(parseJson(raw));
    if (!parsed.success) {
      addProblem(
        raw === undefined ? "report.json is missing" : `report.json is invalid: ${z.prettifyError(parsed.error)}`,
      );
      continue;
    }
    const report = parsed.data;
    reports.push(report);
    if ((await text("junit.xml")) !== toJunit(report)) addProblem("junit.xml does not match report.json");
    if ((await text("report.md")) !== toMarkdown(report)) addProblem("report.md does not match report.json");
    if (((await text("e2e.log")) ?? "") === "") addProblem("e2e.log is missing");
    auditReport(report, certificate.workers).forEach(addProblem);
  }
  problems.push(...findCopiedRuns(reports));
  if (reports.length === certificate.runs.length) problems.push(...findDifferences(certificate, reports));
  return problems;
}

/** Finds copies of files next to the bundle that differ from it. The copies are optional. */
async function findCopyProblems(
  certificate: Certificate,
  directory: string,
  unpacked: string,
): Promise<readonly string[]> {
  const text = (...path: readonly string[]) => readFile(join(...path), "utf8").catch(() => undefined);
  const first = certificate.runs[0]?.folder ?? "";
  const wanted = [
    ["PRODUCT.yaml", stringify(certificate.product)],
    ["junit_01.xml", await text(unpacked, first, "junit.xml")],
    ["e2e.log", await text(unpacked, first, "e2e.log")],
  ] as const;
  const found = await Promise.all(wanted.map(([name]) => text(directory, name)));
  return wanted.flatMap(([name, content], index) =>
    found[index] === undefined || found[index] === content ? [] : [`${name} does not match certificate and bundle`],
  );
}

/** Finds properties of the certificate that differ from the raw results. */
function findDifferences(certificate: Certificate, reports: readonly Report[]): readonly string[] {
  try {
    const claimed = certificate.profiles.filter((profile) => profile.claimed).map(({ name }) => name);
    const derived = Object.entries({ datapath: undefined, ...assessRuns(reports, certificate.workers, claimed) });
    return derived
      .filter(([key, value]) => !isDeepStrictEqual(certificate[key as keyof Certificate], value))
      .map(([key]) => `the certificate's ${key} does not match the raw results`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
