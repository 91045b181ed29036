import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../spec/cluster-spec.ts";
import { chooseImageSource, chooseNetwork } from "./selection.ts";
import { toClusterNode, parsePoolRange, toClusterSpec, findSubnet } from "./describe.ts";
import { createNode } from "./inventory/inventory-fixtures.ts";
import type { ClusterInventory } from "./inventory/inventory.ts";

const LINKS = [
  { addr_info: [{ local: "127.0.0.1", prefixlen: 8 }] },
  { addr_info: [{ local: "10.7.168.71", prefixlen: 16 }] },
  { addr_info: [{ local: "10.233.64.9", prefixlen: 32 }] },
];

describe("the description of an existing cluster", () => {
  it("has an address of each family for a node", () => {
    const expected = { name: "w", role: "worker", address: "192.0.2.7", address6: "2001:db8::7" };
    assert.deepEqual(toClusterNode(createNode("w"), "worker"), expected);
    assert.equal(toClusterNode(createNode("c", { addresses: ["192.0.2.7"] }), "control-plane").address6, undefined);
  });

  it("has the families of the IPPools and Services", () => {
    const facts = (overlayCidrs: readonly string[], serviceCidrs: readonly string[]) =>
      ({ server: "v1.31.4", overlayCidrs, serviceCidrs }) as unknown as ClusterInventory;
    const listRanges = (...[overlay, service]: Parameters<typeof facts>) => {
      const spec = toClusterSpec({ ...DEFAULT_SPEC, probe: "" }, facts(overlay, service));
      return [spec.overlayCidr, spec.serviceCidr, spec.ipv6?.overlayCidr, spec.ipv6?.serviceCidr];
    };
    assert.deepEqual(listRanges(["10.1.0.0/16"], ["10.2.0.0/16"]), [
      "10.1.0.0/16",
      "10.2.0.0/16",
      undefined,
      undefined,
    ]);
    assert.deepEqual(listRanges(["fd01::/64"], ["fd02::/112"]), ["fd01::/64", "fd02::/112", undefined, undefined]);
    const both = [["fd01::/64", "10.1.0.0/16"] as const, ["10.2.0.0/16", "fd02::/112"] as const] as const;
    assert.deepEqual(listRanges(...both), ["10.1.0.0/16", "10.2.0.0/16", "fd01::/64", "fd02::/112"]);
  });

  it("has the subnet of the node's link that contains the range", async () => {
    assert.equal(findSubnet("10.7.210.0/24", LINKS), "10.7.0.0/16");
    assert.equal(findSubnet("10.7.210.4-10.7.210.9", LINKS), "10.7.0.0/16");
    assert.equal(findSubnet("10.8.0.0/24", LINKS), undefined);
    const nodePods = {
      exec: (_node: string, argv: readonly string[]) => {
        const stdout = JSON.stringify(argv.includes("route") ? [{ gateway: "10.7.0.1" }] : LINKS);
        return Promise.resolve({ exitCode: 0, stdout, stderr: "" });
      },
    };
    const found = { subnet: "10.7.0.0/16", ranges: ["10.7.210.0/24"], gateway: "10.7.0.1" };
    assert.deepEqual(await parsePoolRange("10.7.210.0/24", undefined, ["w"], nodePods), found);
    await assert.rejects(parsePoolRange("10.8.0.0/24", undefined, ["w"], nodePods), /set --subnet to the underlay/);
    await assert.rejects(parsePoolRange("10.7.210.0/24", undefined, ["w"], "not admitted"), /: set --subnet/);
  });
});

describe("the selection for a run on an existing cluster", () => {
  it("uses the named network, Interlay's, or the only one", () => {
    const interlay = {
      image: "i",
      setting: "notrack",
      installedBySuite: false,
      returnPaths: new Map<string, string>(),
    };
    const choose = (
      macvlans: readonly string[],
      options: Parameters<typeof chooseNetwork>[1],
      installed?: typeof interlay,
    ) => chooseNetwork({ macvlans, ...(installed === undefined ? {} : { interlay: installed }) }, options);
    assert.equal(choose(["a/x"], { datapath: "none", network: "b/y" }), "b/y");
    assert.equal(
      choose(["a/x", "interlay-system/underlay"], { datapath: "interlay" }, interlay),
      "interlay-system/underlay",
    );
    assert.equal(choose([], { datapath: "interlay" }), "interlay-system/underlay");
    assert.equal(choose(["a/x"], { datapath: "none" }), "a/x");
    assert.equal(choose(["a/x", "a/y"], { datapath: "none" }), undefined);
  });

  it("chooses how the nodes get images by their runtime and provider", () => {
    const kind = ["a", "b"].map((name) =>
      createNode(name, { runtime: "containerd://1.7.1", providerId: `kind://docker/c1/${name}` }),
    );
    assert.deepEqual(chooseImageSource(kind, {}), { kind: "kind", cluster: "c1" });
    assert.deepEqual(chooseImageSource(kind, { image: "r/probe:1" }), { kind: "named", probe: "r/probe:1" });
    assert.deepEqual(chooseImageSource([createNode("a", { runtime: "interlay-lab://1" })], {}), { kind: "lab" });
    assert.deepEqual(chooseImageSource([createNode("a", { runtime: "containerd://1.7.1" }), ...kind], {}), {
      kind: "unknown",
    });
  });
});
