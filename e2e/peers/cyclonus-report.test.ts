import assert from "node:assert/strict";
import { parseCyclonusReport } from "./cyclonus-report.ts";

const XML = `<testsuite tests="0" failures="1" time="" name="cyclonus">
    <properties></properties>
    <testcase classname="" name="deny all &gt; egress" time="">
        <failure message="" type=""></failure>
    </testcase>
    <testcase classname="" name="allow &#34;x&#34;" time=""></testcase>
    <testcase classname="" name="empty" time=""/>
</testsuite>`;

describe("parseCyclonusReport", () => {
  it("returns passed and failed cases by name", () => {
    assert.deepEqual(
      parseCyclonusReport(XML, /.*/).map(({ name, status }) => [name, status]),
      [
        ["deny all > egress", "failed"],
        ['allow "x"', "passed"],
        ["empty", "passed"],
      ],
    );
  });

  it("returns only the cases that the focus selects", () => {
    assert.deepEqual(
      parseCyclonusReport(XML, /^empty$/).map(({ name }) => name),
      ["empty"],
    );
  });

  it("skips a known case that failed, with its reason, and passes one that passed", () => {
    const known = ["deny all", "empty"].map((spec) => ({ spec, reason: `known: ${spec}` }));
    assert.deepEqual(
      parseCyclonusReport(XML, /deny|empty/, known).map(({ name, status, error }) => [name, status, error]),
      [
        ["deny all > egress", "skipped", "known: deny all"],
        ["empty", "passed", undefined],
      ],
    );
  });

  it("throws on a file without cases", () => {
    assert.throws(() => parseCyclonusReport("<testsuite></testsuite>", /.*/), /no cases/);
  });
});
