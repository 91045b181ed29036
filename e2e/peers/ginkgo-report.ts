import { z } from "zod";
import type { KnownSkip } from "./known-skips.ts";
import type { PeerSpecResult } from "./spec-result.ts";

/** The part of Ginkgo's `--json-report` that is read here (types.Report of github.com/onsi/ginkgo/v2). */
const reports = z.array(
  z.object({
    SpecialSuiteFailureReasons: z.array(z.string()).nullish(),
    SpecReports: z.array(
      z.object({
        ContainerHierarchyTexts: z.array(z.string()).nullish(),
        LeafNodeType: z.string(),
        LeafNodeText: z.string(),
        State: z.string(),
        /** Nanoseconds. */
        RunTime: z.number(),
        Failure: z
          .object({
            Message: z.string().default(""),
            Location: z.object({ FileName: z.string().default(""), LineNumber: z.number().default(0) }).optional(),
          })
          .optional(),
      }),
    ),
  }),
);
type GinkgoReport = z.infer<typeof reports>[number];
type GinkgoSpec = GinkgoReport["SpecReports"][number];

/** Maximum length of a reported error in characters: some errors contain whole objects. */
const MAX_ERROR_LENGTH = 2000;
const NANOSECONDS = 1e9;

/**
 * Parses Ginkgo's JSON report.
 *
 * @param focus expression that selected the specs; all others are left out
 * @param knownSkips specs that Ginkgo had to skip, with their reasons
 * @returns a result for each selected spec, for each failed set-up of the suite, and for each failure of the suite as a whole
 */
export function parseGinkgoReport(
  text: string,
  focus: RegExp,
  knownSkips: readonly KnownSkip[],
): readonly PeerSpecResult[] {
  return reports
    .parse(JSON.parse(text))
    .flatMap((report) => [
      ...report.SpecReports.flatMap((spec) => toResult(spec, focus, knownSkips)),
      ...(report.SpecialSuiteFailureReasons ?? []).map((reason) => toSuiteFailure(reason)),
    ]);
}

function toResult(spec: GinkgoSpec, focus: RegExp, knownSkips: readonly KnownSkip[]): readonly PeerSpecResult[] {
  const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].filter((part) => part !== "").join(" ");
  const seconds = spec.RunTime / NANOSECONDS;
  if (spec.LeafNodeType !== "It")
    return isFailure(spec.State)
      ? [{ name: name === "" ? spec.LeafNodeType : name, status: "failed", seconds, error: describeFailure(spec) }]
      : [];
  if (!focus.test(name)) return [];
  if (spec.State === "passed") return [{ name, status: "passed", seconds }];
  if (isFailure(spec.State)) return [{ name, status: "failed", seconds, error: describeFailure(spec) }];
  const reason = knownSkips.find((entry) => name.includes(entry.spec))?.reason ?? spec.Failure?.Message;
  return [{ name, status: "skipped", seconds, error: reason ?? "Ginkgo ended before this spec ran" }];
}

/** Whether a state is one of failed, aborted, panicked, interrupted or timedout. */
function isFailure(state: string): boolean {
  return !["passed", "skipped", "pending", ""].includes(state);
}

function describeFailure({ State, Failure }: GinkgoSpec): string {
  const { Message = "", Location } = Failure ?? {};
  const place =
    Location === undefined ? "" : ` (${Location.FileName.replace(/^.*\/test\//, "test/")}:${Location.LineNumber})`;
  return `${State}: ${Message.slice(0, MAX_ERROR_LENGTH)}${place}`;
}

function toSuiteFailure(reason: string): PeerSpecResult {
  return { name: `suite: ${reason}`, status: "failed", seconds: 0, error: reason };
}
