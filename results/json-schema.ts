import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { certificateSchema } from "./certificate/schema.ts";
import { reportSchema } from "./schema.ts";

/** What is published for other programs: JSON Schema draft 2020-12, made from the schemas that the suite itself uses. */
export const PUBLISHED: readonly { readonly file: string; readonly title: string; readonly schema: z.ZodType }[] = [
  { file: "report.schema.json", title: "Interlay results, report.json of a run", schema: reportSchema },
  { file: "certificate.schema.json", title: "Interlay certificate", schema: certificateSchema },
];

/** The published file's text. Unknown properties are allowed: later versions of v1 may add some. */
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

/** What a document lacks by a published file, in words; undefined if it fits. */
export async function findSchemaError(path: string, document: unknown): Promise<string | undefined> {
  const published = z.fromJSONSchema(
    JSON.parse(await readFile(path, "utf8")) as Parameters<typeof z.fromJSONSchema>[0],
  );
  const result = published.safeParse(document);
  return result.success ? undefined : z.prettifyError(result.error);
}
