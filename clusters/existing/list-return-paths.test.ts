import assert from "node:assert/strict";
import { listReturnPaths } from "./list-return-paths.ts";

const nodes = [{ name: "w1" }, { name: "w2" }];

describe("listReturnPaths", () => {
  const chosen = (...paths: readonly (string | undefined)[]) =>
    new Map(paths.map((path, index) => [`w${index + 1}`, path]));
  const table: readonly (readonly [string, string, Map<string, string | undefined>, readonly string[]])[] = [
    ["what the agents chose with the setting auto", "auto", chosen("snat", "snat", "notrack"), ["snat"]],
    ["each return path once", "auto", chosen("notrack", "snat"), ["notrack", "snat"]],
    ["the agents' default before they have reported", "auto", chosen(undefined), ["notrack"]],
    ["the setting before the agents have reported", "liberal", chosen(), ["liberal"]],
    [
      "what the agents use, not a setting that is not applied yet",
      "liberal",
      chosen("notrack", "notrack"),
      ["notrack"],
    ],
  ];
  for (const [title, setting, returnPaths, expected] of table)
    it(`returns ${title}`, () => {
      assert.deepEqual(listReturnPaths({ setting, returnPaths }, nodes), expected);
    });
});
