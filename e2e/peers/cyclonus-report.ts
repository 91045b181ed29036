import type { KnownSkip } from "./known-skips.ts";
import type { PeerSpecResult } from "./spec-result.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  "#34": '"',
  "#39": "'",
};

/**
 * Parses the JUnit file of cyclonus, which has a name and a verdict for each case, no times and no messages.
 * @param focus expression for the cases to return
 * @param known cases that cannot pass; cyclonus runs them, and one that fails is skipped with its reason
 * @throws if the file has no cases
 */
export function parseCyclonusReport(
  xml: string,
  focus: RegExp,
  known: readonly Pick<KnownSkip, "spec" | "reason">[] = [],
): readonly PeerSpecResult[] {
  const cases = [...xml.matchAll(/<testcase\b[^>]*?\bname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  if (cases.length === 0) throw new Error("cyclonus reported no cases");
  return cases
    .map(([, name = "", content = ""]): PeerSpecResult => {
      const spec = { name: unescapeXml(name), seconds: 0 };
      if (!content.includes("<failure")) return { ...spec, status: "passed" };
      const reason = known.find((skip) => spec.name.includes(skip.spec))?.reason;
      return reason === undefined
        ? { ...spec, status: "failed", error: "connectivity differs from the policies: see cyclonus.log" }
        : { ...spec, status: "skipped", error: reason };
    })
    .filter(({ name }) => focus.test(name));
}

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#?\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity);
}
