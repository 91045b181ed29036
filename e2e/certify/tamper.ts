import { generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFile, packArchive, unpackArchive } from "../../results/bundle.ts";
import { type Certificate, certificateSchema } from "../../results/certificate/schema.ts";
import { type CellResult, type Report, reportSchema } from "../../results/schema.ts";
import { writeCertificate } from "./assemble.ts";
import { createHealthyReport, writeRun } from "./example.ts";
import { verifyCertificate } from "./verify.ts";

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
  findProblems(directory: string, trusted?: string): Promise<readonly string[]>;
  createCopy(directory: string): Promise<string>;
  changeCertificate(directory: string, how: (certificate: Certificate) => unknown): Promise<string>;
  /** Changes the bundle and updates all digests. */
  changeBundle(how: (directory: string) => Promise<void>): Promise<string>;
  /** Changes report.json of the first run, its renderings and all digests. */
  changeReport(how: (report: Report) => Report): Promise<string>;
  changeCell(id: string, how: (cell: CellResult) => CellResult): Promise<string>;
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
  const submission = { runs, workers: 2, claimed: ["base", "node-port-local"] as const, product, suite: "0.1.0" };
  const genuine = join(root, "genuine");
  const unsigned = join(root, "unsigned");
  await writeCertificate({ ...submission, privateKey: vendorKeys.privateKey }, genuine);
  await writeCertificate(submission, unsigned);

  const readCertificate = async (directory: string): Promise<Certificate> =>
    certificateSchema.parse(JSON.parse(await readFile(join(directory, "certificate.json"), "utf8")));
  const findProblems = async (directory: string, trusted?: string) =>
    (await verifyCertificate(join(directory, "certificate.json"), trusted)).problems;
  const createCopy = async (directory: string) => {
    const copy = await mkdtemp(join(root, "copy-"));
    await cp(directory, copy, { recursive: true });
    return copy;
  };
  const changeCertificate = async (directory: string, how: (certificate: Certificate) => unknown) => {
    const copy = await createCopy(directory);
    await writeFile(join(copy, "certificate.json"), JSON.stringify(how(await readCertificate(copy))));
    return copy;
  };
  const changeBundle = async (how: (directory: string) => Promise<void>) => {
    const copy = await createCopy(unsigned);
    const bundle = join(copy, "bundle.tar.gz");
    const inside = await unpackArchive(bundle);
    await how(inside);
    await packArchive(inside, bundle);
    await rm(inside, { recursive: true });
    const { size } = await stat(bundle);
    const named = { file: "bundle.tar.gz", sha256: await hashFile(bundle), bytes: size };
    await writeFile(
      join(copy, "certificate.json"),
      JSON.stringify({ ...(await readCertificate(copy)), bundle: named }),
    );
    return copy;
  };
  const changeReport = (how: (report: Report) => Report) =>
    changeBundle(async (inside) => {
      const folder = join(inside, "runs", "1");
      const forged = how(reportSchema.parse(JSON.parse(await readFile(join(folder, "report.json"), "utf8"))));
      await writeRun(forged, folder);
      await rm(join(folder, "report.html"));
    });
  const changeCell = (id: string, how: (cell: CellResult) => CellResult) =>
    changeReport((report) => ({
      ...report,
      variants: report.variants.map((variant) => ({
        ...variant,
        cells: variant.cells.map((cell) => (cell.id === id ? how(cell) : cell)),
      })),
    }));
  const remove = () => rm(root, { recursive: true });
  return {
    genuine,
    unsigned,
    readCertificate,
    findProblems,
    createCopy,
    changeCertificate,
    changeBundle,
    changeReport,
    changeCell,
    remove,
  };
}
