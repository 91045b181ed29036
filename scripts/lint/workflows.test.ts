import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { findWorkflowProblems } from "./workflows.ts";

const scripts = new Set(Object.keys(packageJson.scripts));
const COMMIT = "0".repeat(40);
const checkout = `- uses: actions/checkout@${COMMIT} # v4.2.2\n        with: { persist-credentials: false }`;

/** Returns a workflow with a step. */
const workflow = (
  step: string,
  { permissions = "{ contents: read }", timeout = "timeout-minutes: 5" } = {},
): string => `
name: w
on: push
permissions: ${permissions}
jobs:
  one:
    runs-on: ubuntu-24.04
    ${timeout}
    steps:
      ${step}
`;

describe("findWorkflowProblems", () => {
  const rows: readonly (readonly [title: string, text: string, problem: RegExp | undefined])[] = [
    [
      "accepts a pinned action and a script of package.json",
      workflow(`${checkout}\n      - run: npm run check`),
      undefined,
    ],
    ["accepts an action of the repository", workflow("- uses: ./.github/actions/setup"), undefined],
    ["rejects an action by its tag", workflow("- uses: actions/cache@v4"), /"- uses: actions\/cache@v4" is not pinned/],
    ["rejects a commit without its release", workflow(`- uses: actions/cache@${COMMIT}`), /is not pinned/],
    [
      "rejects a checkout that stores credentials",
      workflow(`- uses: actions/checkout@${COMMIT} # v4`),
      /job one: the checkout stores/,
    ],
    [
      "rejects write permissions for all jobs",
      workflow(checkout, { permissions: "{ packages: write }" }),
      /permission packages: write belongs to the job/,
    ],
    [
      "rejects a workflow without permissions",
      workflow(checkout).replace(/^permissions.*$/m, ""),
      /invalid permissions/,
    ],
    ["rejects a job without a time limit", workflow(checkout, { timeout: "" }), /invalid jobs\.one\.timeout-minutes/],
    ["rejects an unknown npm script", workflow("- run: npm run --silent nothing -- --json"), /has no script "nothing"/],
    [
      "rejects another's text in a script",
      workflow('- run: echo "${{ github.event.pull_request.title }}"'),
      /others can choose/,
    ],
    ["rejects an input in a script", workflow('- run: echo "${{ inputs.only }}"'), /others can choose/],
  ];
  for (const [title, text, problem] of rows)
    it(title, () => {
      const found = findWorkflowProblems(text, scripts).join("\n");
      if (problem === undefined) assert.equal(found, "");
      else assert.match(found, problem);
    });

  const directory = join(import.meta.dirname, "../../.github/workflows");
  for (const name of readdirSync(directory))
    it(`finds nothing in ${name}`, () => {
      assert.deepEqual(findWorkflowProblems(readFileSync(join(directory, name), "utf8"), scripts), []);
    });
});
