import { generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFile, packArchive, unpackArchive } from "../../results/bundle.ts";
import { type Certificate, certificateSchema } from "../../results/certificate/schema.ts";
import { type CellResult, type Report, reportSchema } from "../../results/schema.ts";
import { writeCertificate } from "./assemble.ts";
import { healthyReport, writeRun } from "./example.ts";
import { verifyCertificate } from "./verify.ts";

const keys = () =>
  generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
export const vendorKeys = keys();
export const foreignKeys = keys();

/** A genuine certificate, signed and unsigned, and ways to change a copy of it. Each returns the copy's directory. */
export interface Tamperer {
  readonly genuine: string;
  readonly unsigned: string;
  read(directory: string): Promise<Certificate>;
  problemsOf(directory: string, trusted?: string): Promise<readonly string[]>;
  copyOf(directory: string): Promise<string>;
  change(directory: string, how: (certificate: Certificate) => unknown): Promise<string>;
  /** Repacks the bundle with correct digests. */
  repack(how: (directory: string) => Promise<void>): Promise<string>;
  /** And the renderings as well. */
  forge(how: (report: Report) => Report): Promise<string>;
  forgeCell(id: string, how: (cell: CellResult) => CellResult): Promise<string>;
  remove(): Promise<void>;
}

export async function createTamperer(): Promise<Tamperer> {
  const root = await mkdtemp(join(tmpdir(), "interlay-tamper-"));
  const reports = [healthyReport(2, 1), healthyReport(2, 2)];
  const runs = await Promise.all(
    reports.map(async (report) => ({ directory: await writeRun(report, join(root, report.id)), log: "passed\n" })),
  );
  const product = { vendor: "Example", name: "Example Cloud", version: "1.0" };
  const submission = { runs, workers: 2, claimed: ["base", "node-port-local"] as const, product, suite: "0.1.0" };
  const genuine = join(root, "genuine");
  const unsigned = join(root, "unsigned");
  await writeCertificate({ ...submission, privateKey: vendorKeys.privateKey }, genuine);
  await writeCertificate(submission, unsigned);

  const read = async (directory: string): Promise<Certificate> =>
    certificateSchema.parse(JSON.parse(await readFile(join(directory, "certificate.json"), "utf8")));
  const problemsOf = async (directory: string, trusted?: string) =>
    (await verifyCertificate(join(directory, "certificate.json"), trusted)).problems;
  const copyOf = async (directory: string) => {
    const copy = await mkdtemp(join(root, "copy-"));
    await cp(directory, copy, { recursive: true });
    return copy;
  };
  const change = async (directory: string, how: (certificate: Certificate) => unknown) => {
    const copy = await copyOf(directory);
    await writeFile(join(copy, "certificate.json"), JSON.stringify(how(await read(copy))));
    return copy;
  };
  const repack = async (how: (directory: string) => Promise<void>) => {
    const copy = await copyOf(unsigned);
    const bundle = join(copy, "bundle.tar.gz");
    const inside = await unpackArchive(bundle);
    await how(inside);
    await packArchive(inside, bundle);
    await rm(inside, { recursive: true });
    const { size } = await stat(bundle);
    const named = { file: "bundle.tar.gz", sha256: await hashFile(bundle), bytes: size };
    await writeFile(join(copy, "certificate.json"), JSON.stringify({ ...(await read(copy)), bundle: named }));
    return copy;
  };
  const forge = (how: (report: Report) => Report) =>
    repack(async (inside) => {
      const folder = join(inside, "runs", "1");
      const forged = how(reportSchema.parse(JSON.parse(await readFile(join(folder, "report.json"), "utf8"))));
      await writeRun(forged, folder);
      await rm(join(folder, "report.html"));
    });
  const forgeCell = (id: string, how: (cell: CellResult) => CellResult) =>
    forge((report) => ({
      ...report,
      variants: report.variants.map((variant) => ({
        ...variant,
        cells: variant.cells.map((cell) => (cell.id === id ? how(cell) : cell)),
      })),
    }));
  const remove = () => rm(root, { recursive: true });
  return { genuine, unsigned, read, problemsOf, copyOf, change, repack, forge, forgeCell, remove };
}
