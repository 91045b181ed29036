import assert from "node:assert/strict";
import { findPattern } from "./name-pattern.ts";

describe("findPattern", () => {
  for (const [pattern, name, expected] of [
    ["rack-a", "rack-a", true],
    ["rack-a", "rack-ab", false],
    ["rack-*", "rack-", true],
    ["*", "anything", true],
    ["*-v4", "rack-a-v4", true],
    ["rack-*-v4", "rack-v4", false],
    ["a*a", "a", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "acb", false],
    ["a.c", "abc", false],
  ] as const)
    it(`${expected ? "matches" : "does not match"} ${name} with ${pattern}`, () => {
      assert.equal(findPattern([pattern], name), expected ? 0 : -1);
    });
});
