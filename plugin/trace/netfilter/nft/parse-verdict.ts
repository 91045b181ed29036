import { type Chain, CONTINUE, type Result } from "../model/ruleset.ts";
import { readOnlyEntry, readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";

const SIMPLE: Readonly<Record<string, Result>> = {
  accept: { kind: "accept" },
  drop: { kind: "drop" },
  return: { kind: "return" },
  continue: CONTINUE,
};

/** Parses a verdict, such as `{"drop": null}` or `{"jump": {"target": "c"}}`; undefined for anything else. */
export function parseVerdict(json: NftJson, findChain: (name: string) => Chain | undefined): Result | undefined {
  const [key = "", content] = readOnlyEntry(json) ?? [];
  if (key !== "jump" && key !== "goto") return SIMPLE[key];
  const target = readTextField(content, "target");
  const chain = findChain(target);
  return chain === undefined
    ? { kind: "unknown", reason: `${key} ${target}: the chain is not in the snapshot` }
    : { kind: key, chain };
}
