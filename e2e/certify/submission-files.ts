import { join } from "node:path";
import { hashFile } from "../../results/files/bundle.ts";
import type { Certificate, Statement } from "../../results/certificate/certificate-schema.ts";

/** The DSSE envelope. */
export const CERTIFICATE_FILE = "certificate.json";
/** The vendor's public key, in a signed submission. */
export const PUBLIC_KEY_FILE = "certificate.pub";
/** Files of each run in the bundle. */
export const RUN_FILES = ["report.json", "junit.xml", "report.md", "e2e.log"] as const;
/** Files of the first run that the submission contains outside the bundle too, for reviewers. */
export const FIRST_RUN_FILES = ["report.json", "junit.xml", "e2e.log"] as const;

/** Raw results of all runs. */
export const BUNDLE_FILE = "bundle.tar.gz";

/** Files that the certificate is about, by the name of their subject. */
interface SubjectFile {
  readonly name: string;
  readonly path: string;
}

/**
 * Lists the files that a submission's statement names.
 * @param unpacked the directory of the unpacked bundle
 */
export function listSubjectFiles(
  directory: string,
  unpacked: string,
  runs: Certificate["runs"],
): readonly SubjectFile[] {
  return [
    ...["PRODUCT.yaml", BUNDLE_FILE, ...FIRST_RUN_FILES].map((name) => ({ name, path: join(directory, name) })),
    ...runs.flatMap(({ folder }) =>
      RUN_FILES.map((file) => ({ name: `${folder}/${file}`, path: join(unpacked, folder, file) })),
    ),
  ];
}

/** Returns the subjects of a submission's statement, with the files' digests. @throws if a file is missing */
export function createSubjects(files: readonly SubjectFile[]): Promise<Statement["subject"]> {
  return Promise.all(files.map(async ({ name, path }) => ({ name, digest: { sha256: await hashFile(path) } })));
}
