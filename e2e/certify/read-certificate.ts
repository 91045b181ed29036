import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import {
  type Envelope,
  envelopeSchema,
  findSignatureProblem,
  PAYLOAD_TYPE,
  readPayload,
} from "../../results/certificate/dsse.ts";
import { OLD_SCHEMA, type Statement, statementSchema } from "../../results/certificate/certificate-schema.ts";
import { PUBLIC_KEY_FILE } from "./submission-files.ts";

/** Contents of certificate.json. */
interface ReadCertificate {
  readonly envelope?: Envelope;
  /** Undefined if the payload is not a certificate. */
  readonly statement?: Statement;
  readonly problems: readonly string[];
}

/**
 * Reads certificate.json and verifies its signature.
 * @param trustedKey the vendor's public key in PEM; default: certificate.pub next to the file
 */
export async function readCertificate(file: string, trustedKey?: string): Promise<ReadCertificate> {
  const document = parseCertificateJson(await readFile(file, "utf8"));
  if (document === undefined) return { problems: [`${file} is not valid JSON`] };
  if (z.object({ schema: z.literal(OLD_SCHEMA) }).safeParse(document).success)
    return {
      problems: [
        `the certificate has the old format ${OLD_SCHEMA}: verify it with the version of Interlay that it names in "suite"`,
      ],
    };
  const envelope = envelopeSchema.safeParse(document);
  if (!envelope.success)
    return { problems: [`the certificate is not a DSSE envelope: ${z.prettifyError(envelope.error)}`] };
  const adjacentKey = await readFile(join(dirname(file), PUBLIC_KEY_FILE), "utf8").catch(() => undefined);
  const signatureProblem = findSignatureProblem(envelope.data, trustedKey ?? adjacentKey);
  const problems = signatureProblem === undefined ? [] : [signatureProblem];
  if (envelope.data.payloadType !== PAYLOAD_TYPE)
    problems.push(`the payload type is ${envelope.data.payloadType}, not ${PAYLOAD_TYPE}`);
  const statement = statementSchema.safeParse(parseCertificateJson(readPayload(envelope.data)));
  if (!statement.success) problems.push(`the certificate is invalid: ${z.prettifyError(statement.error)}`);
  return { envelope: envelope.data, problems, ...(statement.success ? { statement: statement.data } : {}) };
}

/** Parses JSON. @returns undefined if the text is not JSON */
export function parseCertificateJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
