import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { statementSchema } from "../certificate/certificate-schema.ts";
import { reportSchema } from "../schema.ts";

/** JSON Schemas (draft 2020-12) for other programs, generated from the schemas of the suite. */
export const PUBLISHED: readonly { readonly file: string; readonly title: string; readonly schema: z.ZodType }[] = [
  { file: "report.schema.json", title: "Interlay results, report.json of a run", schema: reportSchema },
  { file: "certificate.schema.json", title: "Interlay certificate, in-toto statement", schema: statementSchema },
];

/** Renders a published schema. Unknown properties are allowed, because later versions of v1 may add some. */
export function renderJsonSchema(title: string, schema: z.ZodType): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", reused: "ref" });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

/** Writes the published files. @returns their paths */
export async function publishSchemas(directory: string): Promise<readonly string[]> {
  return Promise.all(
    PUBLISHED.map(async ({ file, title, schema }) => {
      const path = join(directory, file);
      await writeFile(path, renderJsonSchema(title, schema));
      return path;
    }),
  );
}

/** Validates a document against a published schema file. @returns the problems as text; undefined if it is valid */
export async function findSchemaError(path: string, document: unknown): Promise<string | undefined> {
  const published = z.fromJSONSchema(
    JSON.parse(await readFile(path, "utf8")) as Parameters<typeof z.fromJSONSchema>[0],
  );
  const result = published.safeParse(document);
  return result.success ? undefined : z.prettifyError(result.error);
}
