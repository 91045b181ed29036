import assert from "node:assert/strict";
import { parse } from "yaml";
import { formatOutput } from "./output.ts";

describe("formatOutput", () => {
  const value = { nodes: [{ name: "a", ready: true }] };

  it("prints exactly one JSON value", () => {
    assert.deepEqual(JSON.parse(formatOutput("json", value, () => "table")), value);
  });

  it("prints YAML", () => {
    assert.deepEqual(parse(formatOutput("yaml", value, () => "table")), value);
  });

  it("ends a table with one line break", () => {
    assert.equal(
      formatOutput("table", value, () => "a"),
      "a\n",
    );
    assert.equal(
      formatOutput("table", value, () => "a\n"),
      "a\n",
    );
    assert.equal(
      formatOutput("table", value, () => ""),
      "",
    );
  });
});
