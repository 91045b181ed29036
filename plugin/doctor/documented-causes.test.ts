import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "troubleshoot.md"), "utf8");
const checks = new Set(
  readdirSync(import.meta.dirname)
    .filter((name) => /^check-.*\.ts$/.test(name))
    .flatMap((name) => {
      const text = readFileSync(join(import.meta.dirname, name), "utf8");
      return [...text.matchAll(/(?:\bcreateFinding\(|\bcheck:|\? |: )\s*"([a-z]+(?:-[a-z]+)*)"/g)].map(
        ([, check = ""]) => check,
      );
    }),
);
const OTHER_WORDS =
  /^(fails|start|warning|ipv4|none|same-node|other-node|multi-nic|underlay|overlay|node|tcp|udp|veth|route|rule)$/;

describe("docs/troubleshoot.md", () => {
  it("docs/troubleshoot.md lists all checks of the doctor", () => {
    const expected = [...checks].filter((check) => !OTHER_WORDS.test(check));
    assert.ok(expected.length >= 14, expected.join());
    assert.deepEqual(
      expected.filter((check) => !page.includes(`\`${check}\``)),
      [],
    );
  });

  it("docs/troubleshoot.md lists no unknown checks", () => {
    const named = [...page.matchAll(/\[((?:`[a-z-]+`(?:, )?)+)\]/g)].flatMap(([, list = ""]) =>
      list.split(", ").map((word) => word.replaceAll("`", "")),
    );
    assert.deepEqual(
      named.filter((check) => !checks.has(check)),
      [],
    );
  });
});
