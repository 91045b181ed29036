import assert from "node:assert/strict";
import { createPacket } from "../../../testing/trace-rules.ts";
import { parseAddressNumber } from "./address-number.ts";
import { createRuleFinder } from "./rule-index.ts";
import type { CompiledRule } from "./ruleset.ts";

/** Rules for the destinations 10.0.0.0, 10.0.0.1 … 10.0.0.9 in turn; every fifth one is for any destination. */
const RULES: readonly CompiledRule[] = Array.from({ length: 100 }, (_, number) => ({
  text: String(number),
  statements: [],
  ...(number % 5 === 0 ? {} : { destination: parseAddressNumber(`10.0.0.${number % 10}`) }),
}));

describe("index of a chain's rules", () => {
  it("finds the same rules as reading them one by one", () => {
    const findRule = createRuleFinder(RULES);
    for (const destination of ["10.0.0.3", "10.0.0.5", "10.9.9.9", "fd00::1"]) {
      const packet = createPacket({ destination });
      for (let from = 0; from <= RULES.length; from++) {
        const expected = RULES.findIndex(
          (rule, number) =>
            number >= from && (rule.destination ?? parseAddressNumber(destination)) === parseAddressNumber(destination),
        );
        assert.equal(findRule(from, packet), expected < 0 ? RULES.length : expected, `${destination} from ${from}`);
      }
    }
  });

  it("finds every rule of a short chain, and of one without destinations", () => {
    const packet = createPacket({ destination: "10.9.9.9" });
    assert.equal(createRuleFinder(RULES.slice(0, 5))(1, packet), 1);
    assert.equal(
      createRuleFinder(RULES.map(({ text, statements }): CompiledRule => ({ text, statements })))(7, packet),
      7,
    );
  });
});
