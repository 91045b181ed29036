import assert from "node:assert/strict";
import { z } from "zod";
import { addTransitionTimes, parseConditions, publishedText } from "./status-schemas.ts";

const NOW = new Date("2026-01-02T03:04:05.000Z");
const BEFORE = "2026-01-01T00:00:00.000Z";
const READY = { type: "Ready", status: "True", reason: "Giving", message: "" } as const;

describe("conditions of a status", () => {
  it("conditions of a status keep the time of the last change of their status", () => {
    const previous = [{ ...READY, lastTransitionTime: BEFORE }];
    const times = (status: "True" | "False") =>
      addTransitionTimes([{ ...READY, status }], previous, NOW).map(({ lastTransitionTime }) => lastTransitionTime);
    assert.deepEqual([times("True"), times("False")], [[BEFORE], [NOW.toISOString()]]);
  });

  it("conditions of a status are read from a status of this version, and are none in one without times", () => {
    assert.deepEqual(parseConditions({ total: 1, conditions: [{ ...READY, lastTransitionTime: BEFORE }] }), [
      { type: "Ready", status: "True", lastTransitionTime: BEFORE },
    ]);
    assert.deepEqual([parseConditions({ conditions: [READY] }), parseConditions(undefined)], [[], []]);
  });
});

describe("publishedText", () => {
  it("reads a field that the API server left out, because an agent without facts published null", () => {
    const status = z.object({ mode: publishedText });
    assert.deepEqual(
      [{}, { mode: null }, { mode: "notrack" }].map((value) => status.parse(value).mode),
      [null, null, "notrack"],
    );
  });
});
