import assert from "node:assert/strict";
import { describeLastHop, listDivergences, findWrongPath } from "./compare-path.ts";
import type { Hop, SeenHop } from "./path.ts";

/** `pod eth0 out` */
const hop = (text: string): Hop => {
  const [place = "", link = "", direction] = text.split(" ");
  return { place, link, direction: direction === "in" ? "in" : "out" };
};
const seen = (text: string, source = "10.0.0.1:1", destination = "10.0.0.2:2"): SeenHop => ({
  ...hop(text),
  source,
  destination,
});

describe("the judge of paths", () => {
  const expected = { request: ["a eth0 out", "n wire out"].map(hop), reply: ["b eth0 out", "a eth0 in"].map(hop) };
  const right = {
    request: [seen("a eth0 out"), seen("n wire out")],
    reply: [seen("b eth0 out"), seen("a eth0 in")],
  };
  const cases: readonly (readonly [string, typeof right, RegExp | undefined])[] = [
    ["the documented path", right, undefined],
    [
      "another link",
      { ...right, reply: [seen("b net1 out"), seen("a eth0 in")] },
      /the reply was at b net1 out, expected b eth0 out/,
    ],
    ["one hop too few", { ...right, request: [seen("a eth0 out")] }, /last seen at a eth0 out, and not at n wire out/],
    ["one hop too many", { ...right, reply: [...right.reply, seen("c eth0 in")] }, /went on to c eth0 in/],
    ["nothing seen", { request: [], reply: [] }, /request was last seen at no place/],
    ["another order", { ...right, request: [...right.request].reverse() }, /was at n wire out, expected a eth0 out/],
  ];
  for (const [title, path, expectedProblem] of cases)
    it(title, () => {
      const wrong = findWrongPath(expected, path);
      if (expectedProblem === undefined) assert.equal(wrong, undefined);
      else assert.match(wrong ?? "", expectedProblem);
    });

  it("says where a probe died: in the reply's half if there was one", () => {
    assert.match(
      describeLastHop(expected, { request: [seen("a eth0 out")], reply: [] }),
      /the request was last seen at a eth0 out/,
    );
    assert.match(
      describeLastHop(expected, { request: right.request, reply: [seen("b eth0 out")] }),
      /the reply was last seen at b eth0 out, and not at a eth0 in/,
    );
    assert.match(describeLastHop(expected, right), /whole documented path/);
  });

  it("says where a handshake strayed, and nothing of one that only ended", () => {
    assert.deepEqual(listDivergences(expected, { ...right, reply: [seen("b net1 out")] }), [
      "the reply was at b net1 out, expected b eth0 out",
    ]);
    assert.deepEqual(listDivergences(expected, { request: [seen("a eth0 out")], reply: [] }), []);
  });
});
