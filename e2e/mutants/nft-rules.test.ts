import assert from "node:assert/strict";
import { buildDeleteRuleCommand, parseNftRules, parseSets } from "./nft-rules.ts";

describe("rules of a table, as mutants", () => {
  const match = (protocol: string) => ({ match: { left: { payload: { protocol, field: "daddr" } } } });
  const rule = (chain: string, handle: number, more: object) => ({
    rule: { family: "inet", table: "interlay", chain, handle, ...more },
  });
  const json = JSON.stringify({
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      { set: { name: "overlay4", elem: [{ prefix: { addr: "10.233.64.0", len: 18 } }] } },
      { set: { name: "empty" } },
      rule("prerouting", 4, { expr: [match("ip"), { notrack: null }] }),
      rule("prerouting", 5, { expr: [match("ip6"), { notrack: null }] }),
      rule("replies", 9, { comment: "replies leave by veth0", expr: [] }),
    ],
  });

  it("rules of a table, as mutants are named by comment or family, whatever their handle", () => {
    assert.deepEqual(
      parseNftRules(json).map((one) => `${one.chain}: ${one.name}`),
      ["prerouting: ipv4", "prerouting: ipv6", "replies: replies leave by veth0"],
    );
    assert.deepEqual(parseSets(json), ["overlay4"]);
  });

  it("rules of a table, as mutants are taken out by their handle", () => {
    const [, second] = parseNftRules(json);
    assert.equal(
      second && buildDeleteRuleCommand(second).join(" "),
      "nft delete rule inet interlay prerouting handle 5",
    );
  });
});
