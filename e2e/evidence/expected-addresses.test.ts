import assert from "node:assert/strict";
import { type ExpectedAddresses, findWrongAddress, listTranslations } from "./expected-addresses.ts";
import type { PacketPath, SeenHop } from "./path.ts";

const [POD, SERVICE, ENDPOINT, TUNNEL] = ["10.7.200.1:5000", "10.233.0.9:8080", "10.233.64.7:8080", "10.233.64.1:7000"];
const hop = (text: string, source: string, destination: string): SeenHop => {
  const [place = "", link = "", direction] = text.split(" ");
  return { place, link, direction: direction === "in" ? "in" : "out", source, destination };
};
const expected: ExpectedAddresses = {
  requested: SERVICE,
  server: "10.233.64.7",
  sources: ["10.233.64.1"],
};
/** An underlay pod requests a Service: its node translates request and reply. */
const path = {
  request: [
    hop("underlay-1-a veth0 out", POD, SERVICE),
    hop("node-1 veth in", POD, SERVICE),
    hop("node-1 vxlan out", TUNNEL, ENDPOINT),
    hop("overlay-2-b eth0 in", TUNNEL, ENDPOINT),
  ],
  reply: [
    hop("overlay-2-b eth0 out", ENDPOINT, TUNNEL),
    hop("node-1 vxlan in", ENDPOINT, TUNNEL),
    hop("node-1 veth out", SERVICE, POD),
    hop("underlay-1-a veth0 in", SERVICE, POD),
  ],
};
const change = (half: keyof PacketPath, index: number, to: Partial<SeenHop>): PacketPath => ({
  ...path,
  [half]: path[half].map((one, position) => (position === index ? { ...one, ...to } : one)),
});

describe("the addresses along a path", () => {
  it("the addresses along a path are right where the reply undoes each translation of the request", () => {
    assert.equal(findWrongAddress(path, expected), undefined);
  });

  const wrong: readonly (readonly [string, PacketPath, RegExp])[] = [
    [
      "the request went to another address",
      change("request", 0, { destination: ENDPOINT }),
      /was sent to 10\.233\.64\.7:8080/,
    ],
    [
      "it arrived for another server",
      change("request", 3, { destination: "10.233.64.8:8080" }),
      /arrived for 10\.233\.64\.8/,
    ],
    [
      "it was not masqueraded",
      change("request", 3, { source: POD }),
      /arrived from 10\.7\.200\.1:5000, expected 10\.233\.64\.1/,
    ],
    [
      "the server answered from another address",
      change("reply", 0, { source: SERVICE }),
      /the reply began from 10\.233\.0\.9/,
    ],
    [
      "nobody turned the source back",
      change("reply", 3, { source: ENDPOINT }),
      /the reply ended from 10\.233\.64\.7:8080/,
    ],
    [
      "a node translated the reply too late",
      change("reply", 2, { source: ENDPOINT }),
      /at node-1 veth the reply went from 10\.233\.64\.7/,
    ],
  ];
  for (const [title, seen, message] of wrong)
    it(`the addresses along a path are wrong where ${title}`, () => {
      assert.match(findWrongAddress(seen, expected) ?? "", message);
    });

  it("of a blocked cell have no end to be judged", () => {
    assert.equal(findWrongAddress({ request: [], reply: [] }, expected), undefined);
  });

  it("the addresses along a path are listed where they change", () => {
    assert.deepEqual(listTranslations(path.request), [
      `node-1: source ${POD} -> ${TUNNEL}`,
      `node-1: destination ${SERVICE} -> ${ENDPOINT}`,
    ]);
  });
});
