import assert from "node:assert/strict";
import { parseCidr, parseIp } from "../../datapath/address.ts";
import { makeFacts } from "../../testing/make-facts.ts";
import { chooseReturnPath, findRouter, type PoolOnNode, type RouterInput } from "./choose-return-path.ts";

const pool = (subnet: string, count: number): PoolOnNode => ({
  name: "rack-a",
  subnet: parseCidr(subnet),
  nodesOutside: { count, example: count === 0 ? "" : "n3 (10.8.0.73)" },
});
const ips = (...texts: readonly string[]) => texts.map(parseIp);
const OWN = ips("10.7.168.71");
const FACTS = makeFacts({ overlayCidrs: [parseCidr("10.233.64.0/18")], serviceCidrs: [parseCidr("10.233.0.0/18")] });

describe("findRouter", () => {
  const ROWS: readonly (readonly [title: string, input: Partial<RouterInput>, found: RegExp | undefined])[] = [
    ["finds none without pools", {}, undefined],
    ["finds none where every node is in the subnet", { pools: [pool("10.7.0.0/16", 0)] }, undefined],
    [
      "finds the router between racks",
      { pools: [pool("10.7.0.0/16", 2)] },
      /rack-a has the subnet 10\.7\.0\.0\/16, and node n3 \(10\.8\.0\.73\) and 1 more is outside of it/,
    ],
    [
      "finds the router of a network that no node is connected to",
      { pools: [pool("192.168.9.0/24", 3)] },
      /192\.168\.9\.0\/24/,
    ],
    [
      "finds none where the nodes are connected by a second NIC",
      { pools: [pool("192.168.9.0/24", 3)], linkAddresses: ips("10.7.168.71", "192.168.9.71") },
      undefined,
    ],
    ["looks at every pool", { pools: [pool("10.7.0.0/16", 0), pool("fd08::/64", 1)] }, /fd08::\/64/],
  ];
  for (const [title, input, found] of ROWS)
    it(title, () => {
      const reason = findRouter({ pools: [], internalAddresses: OWN, linkAddresses: OWN, ...input });
      if (found === undefined) assert.equal(reason, undefined);
      else assert.match(reason ?? "", found);
    });
});

describe("chooseReturnPath", () => {
  const racks: RouterInput = { pools: [pool("10.7.0.0/16", 1)], internalAddresses: OWN, linkAddresses: OWN };
  const plain: RouterInput = { ...racks, pools: [] };
  const ROWS: readonly (readonly [
    title: string,
    settings: Readonly<Record<string, string>>,
    router: RouterInput,
    expected: string,
    because: RegExp,
  ])[] = [
    ["chooses notrack on one network", {}, plain, "notrack", /No router/],
    ["chooses snat behind a router", {}, racks, "snat", /outside of it/],
    ["chooses by itself where the setting is auto", { returnPath: "auto" }, racks, "snat", /outside of it/],
    ["obeys the setting for the cluster", { returnPath: "notrack" }, racks, "notrack", /^$/],
    ["obeys the setting for the node", { returnPath: "auto", "n1.returnPath": "notrack" }, racks, "notrack", /^$/],
  ];
  for (const [title, settings, router, expected, because] of ROWS)
    it(title, () => {
      const { returnPath, sources } = chooseReturnPath(FACTS, settings, router);
      assert.equal(returnPath, expected);
      assert.match(sources["returnPath"] ?? "", because);
    });
});
