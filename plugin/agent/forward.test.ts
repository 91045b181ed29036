import assert from "node:assert/strict";
import { IPTABLES, type SavedFilters } from "./filters.ts";
import { forwardChanges } from "./forward.ts";

const DOCKER = "*filter\n:FORWARD DROP [3:9]\n[0:0] -A FORWARD -j DOCKER-USER\n";
const PLAIN = "*filter\n:FORWARD ACCEPT [0:0]\n";
const OURS = ["-i", "-o"]
  .map((flag) => `[1:60] -A FORWARD ${flag} vethil+ -m comment --comment interlay -j ACCEPT\n`)
  .join("");
const saved = (some: Partial<SavedFilters>): SavedFilters => ({
  ...(Object.fromEntries(IPTABLES.map((program) => [program, ""])) as SavedFilters),
  ...some,
});
const changes = (some: Partial<SavedFilters>, wanted = true): readonly string[] =>
  forwardChanges(saved(some), wanted).map(({ program, verb, match }) => `${program} ${verb} ${match.join(" ")}`);

describe("FORWARD with the policy DROP", () => {
  const ROWS: readonly (readonly [string, Partial<SavedFilters>, boolean, readonly string[]])[] = [
    ["nothing anywhere", {}, true, []],
    ["the policy ACCEPT: nobody's chain is touched", { iptables: PLAIN, "ip6tables-legacy": PLAIN }, true, []],
    ["Docker's", { iptables: DOCKER }, true, ["iptables -A -i vethil+", "iptables -A -o vethil+"]],
    [
      "of both families and backends",
      { "iptables-legacy": DOCKER, ip6tables: DOCKER },
      true,
      ["-i", "-o"]
        .map((flag) => `iptables-legacy -A ${flag} vethil+`)
        .concat(["-i", "-o"].map((flag) => `ip6tables -A ${flag} vethil+`)),
    ],
    ["ours are there", { iptables: DOCKER + OURS }, true, []],
    ["one of ours is gone", { iptables: DOCKER + (OURS.split("\n")[0] ?? "") }, true, ["iptables -A -o vethil+"]],
    [
      "the policy is ACCEPT again",
      { iptables: PLAIN + OURS },
      true,
      ["iptables -D -i vethil+", "iptables -D -o vethil+"],
    ],
    ["uninstall", { iptables: DOCKER + OURS }, false, ["iptables -D -i vethil+", "iptables -D -o vethil+"]],
    [
      "uninstall, some were there twice",
      { iptables: DOCKER + OURS + OURS },
      false,
      ["-i", "-i", "-o", "-o"].map((flag) => `iptables -D ${flag} vethil+`),
    ],
  ];
  for (const [what, some, wanted, expected] of ROWS)
    it(what, () => {
      assert.deepEqual(changes(some, wanted), expected);
    });
});
