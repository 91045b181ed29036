import assert from "node:assert/strict";
import { createCell, createReport } from "./report-fixtures.ts";
import { toJunit } from "./junit.ts";

interface Shape {
  readonly parents: readonly string[];
  readonly required: readonly string[];
  readonly optional: readonly string[];
}
/** Elements and attributes of Jenkins' schema (junit-10); GitHub and GitLab accept all of them. */
const SHAPES: Readonly<Record<string, Shape>> = {
  testsuites: { parents: [""], required: [], optional: ["name", "time", "tests", "failures", "errors"] },
  testsuite: {
    parents: ["testsuites"],
    required: ["name", "tests"],
    optional: ["failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "file"],
  },
  properties: { parents: ["testsuite"], required: [], optional: [] },
  property: { parents: ["properties"], required: ["name", "value"], optional: [] },
  "system-out": { parents: ["testcase"], required: [], optional: [] },
  testcase: { parents: ["testsuite"], required: ["name"], optional: ["classname", "time", "status", "assertions"] },
  failure: { parents: ["testcase"], required: [], optional: ["message", "type"] },
  skipped: { parents: ["testcase"], required: [], optional: ["message", "type"] },
};
const NUMBERS = new Set(["tests", "failures", "errors", "skipped", "time"]);

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent: string;
  /** Index of its parent in the list. */
  readonly under: number;
}

/** Lists the elements of XML in order. @throws if it is not well-formed */
function parseElements(xml: string): readonly Element[] {
  const found: Element[] = [];
  const open: number[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  const rest = body.replaceAll(/<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, close, name, text, empty) => {
    const top = open.at(-1);
    if (close === "/") {
      assert.equal(found[open.pop() ?? -1]?.name, name, "an element that is not open is closed");
      return "";
    }
    const attributes = Object.fromEntries(
      [...String(text).matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
    );
    found.push({ name: String(name), attributes, parent: found[top ?? -1]?.name ?? "", under: top ?? -1 });
    if (empty !== "/") open.push(found.length - 1);
    return "";
  });
  assert.equal(open.length, 0, "an element is not closed");
  assert.doesNotMatch(rest, /[<>]/, "unexpected markup");
  assert.doesNotMatch(xml, /&(?!(amp|lt|gt|quot|#10);)/, "unknown XML entity");
  return found;
}

describe("junit.xml", () => {
  const report = createReport([
    createCell(),
    createCell({ expected: "blocked", actual: "fail", reason: "INVALID" }),
    createCell({ ok: false, actual: "fail", reason: 'a <b> & "c"\n\u0007', cause: "host-route: a route is missing" }),
  ]);
  const checks = [...report.checks, { name: "left out", status: "skipped" as const, seconds: 0, error: "no IPv6" }];
  const xml = toJunit({ ...report, checks, summary: { ...report.summary, skipped: 1 } });
  const elements = parseElements(xml);

  it("contains only elements and attributes of the common schema", () => {
    for (const { name, attributes, parent } of elements) {
      const shape = SHAPES[name];
      assert.ok(shape, `<${name}> is not in the schema`);
      assert.ok(shape.parents.includes(parent), `<${name}> in <${parent}>`);
      for (const attribute of shape.required) assert.ok(attribute in attributes, `<${name}> lacks ${attribute}`);
      for (const [key, value] of Object.entries(attributes)) {
        assert.ok([...shape.required, ...shape.optional].includes(key), `<${name} ${key}> is not in the schema`);
        if (NUMBERS.has(key)) assert.match(value, /^\d+(\.\d+)?$/, `${name} ${key}`);
      }
    }
  });

  it("counts its test cases", () => {
    elements.forEach(({ name, attributes }, index) => {
      if (name !== "testsuite") return;
      const cases = elements.flatMap((one, position) =>
        one.under === index && one.name === "testcase" ? [position] : [],
      );
      const count = (what: string) => elements.filter((one) => one.name === what && cases.includes(one.under)).length;
      assert.deepEqual(
        [attributes["tests"], attributes["failures"], attributes["skipped"]],
        [cases.length, count("failure"), count("skipped")].map(String),
      );
    });
    assert.equal(elements[0]?.attributes["tests"], String(elements.filter(({ name }) => name === "testcase").length));
  });

  it("reports the expectation, the likely cause and the rerun command of a failed cell", () => {
    assert.match(xml, /message="expected pass, was fail: a &lt;b&gt;/);
    assert.match(xml, />likely cause: host-route: a route is missing&#10;rerun: npm run e2e -- /);
  });

  it("reports a blocked cell in system-out", () => {
    assert.match(xml, /<system-out>blocked, as expected: INVALID/);
  });

  it("names each case uniquely by the cell's id, which contains no address", () => {
    const names = elements.filter(({ name }) => name === "testcase").map(({ attributes }) => attributes["name"] ?? "");
    assert.equal(new Set(names).size, names.length, names.join("\n"));
    assert.ok(names.includes("matrix/underlay-1-a/overlay-2-b/other-node/tcp"));
    assert.ok(
      names.every((name) => !/\d+\.\d+\.\d+\.\d+/.test(name)),
      names.join("\n"),
    );
  });

  it("contains versions, provider and variant as properties, and a timestamp", () => {
    const properties = new Map(
      elements
        .filter(({ name }) => name === "property")
        .map(({ attributes }) => [attributes["name"], attributes["value"]] as const),
    );
    assert.equal(properties.get("version.kubernetes"), "v1.29.15");
    assert.equal(properties.get("provider"), "kind");
    assert.equal(properties.get("returnPath"), "liberal");
    assert.match(xml, /<testsuite [^>]*timestamp="2026-01-01T00:00:00"/);
  });

  it("lists a check's steps", () => {
    const inner = { name: "look", status: "failed" as const, seconds: 0.5 };
    const step = { name: "switch", status: "failed" as const, seconds: 1, steps: [inner] };
    const text = toJunit({ ...report, checks: [{ name: "one", status: "failed", seconds: 1, steps: [step] }] });
    assert.match(text, /failed: switch \(1\.000 s\)&#10; {2}failed: look \(0\.500 s\)/);
  });
});
