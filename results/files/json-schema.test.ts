import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createCell, createPath, createReport } from "../report-fixtures.ts";
import { renderJsonSchema, PUBLISHED, findSchemaError } from "./json-schema.ts";
import { RESULTS } from "./write.ts";

const REPORT = join(RESULTS, "report.schema.json");

describe("the published JSON Schemas", () => {
  for (const { file, title, schema } of PUBLISHED)
    it(`${file} equals the generated schema (npm run generate writes it)`, async () => {
      assert.equal(await readFile(join(RESULTS, file), "utf8"), renderJsonSchema(title, schema));
    });

  const report = () =>
    createReport([
      createCell({ evidence: { path: createPath(8) } }),
      createCell({ expected: "blocked", actual: "fail" }),
    ]);

  it("accept a report as it is written", async () => {
    assert.equal(await findSchemaError(REPORT, JSON.parse(JSON.stringify(report()))), undefined);
  });

  for (const [what, change] of Object.entries({
    "another schema": { schema: "interlay.results/v2" },
    "an unknown provider": { provider: "cloud" },
    "an invalid time": { started: "yesterday" },
    "a table of two rows": { variants: report().variants.map((one) => ({ ...one, table: one.table.slice(1) })) },
    "a cell without a result": { variants: report().variants.map((one) => ({ ...one, cells: [{ id: "a" }] })) },
    "no summary": { summary: undefined },
  }))
    it(`reject ${what}`, async () => {
      assert.notEqual(await findSchemaError(REPORT, { ...report(), ...change }), undefined);
    });
});
