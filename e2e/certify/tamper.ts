import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packArchive, unpackArchive } from "../../results/files/bundle.ts";
import { type Envelope, envelopeSchema, PAYLOAD_TYPE, readPayload } from "../../results/certificate/dsse.ts";
import { type Certificate, type Statement, statementSchema } from "../../results/certificate/certificate-schema.ts";
import { type CellResult, type Report, reportSchema } from "../../results/schema.ts";
import { writeCertificate } from "./assemble.ts";
import { createHealthyReport, writeRun } from "./example.ts";
import { BUNDLE_FILE, CERTIFICATE_FILE, createSubjects, FIRST_RUN_FILES } from "./submission-files.ts";
import { listSubjectFiles } from "./submission-files.ts";
import { verifyCertificate } from "./verify-certificate.ts";

const createKeys = () =>
  generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
export const vendorKeys = createKeys();
export const foreignKeys = createKeys();

/** A genuine certificate, signed and unsigned, with methods that change a copy of it and return the copy's directory. */
export interface TamperTool {
  readonly genuine: string;
  readonly unsigned: string;
  readCertificate(directory: string): Promise<Certificate>;
  readEnvelope(directory: string): Promise<Envelope>;
  findProblems(directory: string, trusted?: string): Promise<readonly string[]>;
  createCopy(directory: string): Promise<string>;
  /** Changes the certificate and keeps the signatures. */
  changeCertificate(directory: string, change: (certificate: Certificate) => unknown): Promise<string>;
  /** Changes the whole statement and keeps the signatures. */
  changeStatement(directory: string, change: (statement: Statement) => unknown): Promise<string>;
  /** Changes the envelope. */
  changeEnvelope(directory: string, change: (envelope: Envelope) => unknown): Promise<string>;
  /** Changes the bundle and updates all digests. */
  changeBundle(change: (directory: string) => Promise<void>): Promise<string>;
  /** Changes report.json of the first run, its renderings and all digests. */
  changeReport(change: (report: Report) => Report): Promise<string>;
  changeCell(id: string, change: (cell: CellResult) => CellResult): Promise<string>;
  remove(): Promise<void>;
}

/** Creates the certificates in a temporary directory. */
export async function createTamperTool(): Promise<TamperTool> {
  const root = await mkdtemp(join(tmpdir(), "interlay-tamper-"));
  const reports = [createHealthyReport(2, 1), createHealthyReport(2, 2)];
  const runs = await Promise.all(
    reports.map(async (report) => ({ directory: await writeRun(report, join(root, report.id)), log: "passed\n" })),
  );
  const product = { vendor: "Example", name: "Example Cloud", version: "1.0" };
  const submission = { runs, workers: 2, claimed: ["base", "node-port-local"] as const, product };
  const genuine = join(root, "genuine");
  const unsigned = join(root, "unsigned");
  await writeCertificate({ ...submission, privateKey: vendorKeys.privateKey }, genuine);
  await writeCertificate(submission, unsigned);

  const readEnvelope = async (directory: string): Promise<Envelope> =>
    envelopeSchema.parse(JSON.parse(await readFile(join(directory, CERTIFICATE_FILE), "utf8")));
  const readStatement = async (directory: string): Promise<Statement> =>
    statementSchema.parse(JSON.parse(readPayload(await readEnvelope(directory))));
  const readCertificate = async (directory: string): Promise<Certificate> => (await readStatement(directory)).predicate;
  const writeStatement = async (directory: string, statement: unknown) => {
    const payload = Buffer.from(JSON.stringify(statement)).toString("base64");
    const envelope = { ...(await readEnvelope(directory)), payloadType: PAYLOAD_TYPE, payload };
    await writeFile(join(directory, CERTIFICATE_FILE), JSON.stringify(envelope));
  };
  const findProblems = async (directory: string, trusted?: string) =>
    (await verifyCertificate(join(directory, "certificate.json"), trusted)).problems;
  const createCopy = async (directory: string) => {
    const copy = await mkdtemp(join(root, "copy-"));
    await cp(directory, copy, { recursive: true });
    return copy;
  };
  const changeStatement = async (directory: string, change: (statement: Statement) => unknown) => {
    const copy = await createCopy(directory);
    await writeStatement(copy, change(await readStatement(copy)));
    return copy;
  };
  const changeCertificate = (directory: string, change: (certificate: Certificate) => unknown) =>
    changeStatement(directory, (statement) => ({ ...statement, predicate: change(statement.predicate) }));
  const changeEnvelope = async (directory: string, change: (envelope: Envelope) => unknown) => {
    const copy = await createCopy(directory);
    await writeFile(join(copy, CERTIFICATE_FILE), JSON.stringify(change(await readEnvelope(copy))));
    return copy;
  };
  const changeBundle = async (change: (directory: string) => Promise<void>) => {
    const copy = await createCopy(unsigned);
    const unpacked = await unpackArchive(join(copy, BUNDLE_FILE));
    await change(unpacked);
    await packArchive(unpacked, join(copy, BUNDLE_FILE));
    for (const name of FIRST_RUN_FILES)
      await copyFile(join(unpacked, "runs/1", name), join(copy, name)).catch(() => undefined);
    const statement = await readStatement(copy);
    const files = listSubjectFiles(copy, unpacked, statement.predicate.runs).filter(({ path }) => existsSync(path));
    await writeStatement(copy, { ...statement, subject: await createSubjects(files) });
    await rm(unpacked, { recursive: true });
    return copy;
  };
  const changeReport = (change: (report: Report) => Report) =>
    changeBundle(async (unpacked) => {
      const folder = join(unpacked, "runs", "1");
      const forged = change(reportSchema.parse(JSON.parse(await readFile(join(folder, "report.json"), "utf8"))));
      await writeRun(forged, folder);
      await rm(join(folder, "report.html"));
    });
  const changeCell = (id: string, change: (cell: CellResult) => CellResult) =>
    changeReport((report) => ({
      ...report,
      variants: report.variants.map((variant) => ({
        ...variant,
        cells: variant.cells.map((cell) => (cell.id === id ? change(cell) : cell)),
      })),
    }));
  const remove = () => rm(root, { recursive: true });
  return {
    genuine,
    unsigned,
    readCertificate,
    readEnvelope,
    findProblems,
    createCopy,
    changeCertificate,
    changeStatement,
    changeEnvelope,
    changeBundle,
    changeReport,
    changeCell,
    remove,
  };
}
