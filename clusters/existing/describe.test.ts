import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../spec/cluster-spec.ts";
import { chooseWorkers, chooseImageSource, chooseNetwork } from "./selection.ts";
import { toClusterNode, parsePoolRange, toClusterSpec, findSubnet } from "./describe.ts";
import type { ClusterInventory } from "./inventory.ts";

const node = (
  name: string,
  change: Partial<ClusterInventory["nodes"][number]> = {},
): ClusterInventory["nodes"][number] => ({
  name,
  ready: true,
  schedulable: true,
  kubelet: "v1.31.4",
  kernel: "6.1.0",
  controlPlane: false,
  addresses: ["192.0.2.7", "2001:db8::7"],
  runtime: "containerd://1.7.1",
  providerId: "",
  ...change,
});
const LINKS = [
  { addr_info: [{ local: "127.0.0.1", prefixlen: 8 }] },
  { addr_info: [{ local: "10.7.168.71", prefixlen: 16 }] },
  { addr_info: [{ local: "10.233.64.9", prefixlen: 32 }] },
];

describe("the description of an existing cluster", () => {
  it("has an address of each family for a node", () => {
    const expected = { name: "w", role: "worker", address: "192.0.2.7", address6: "2001:db8::7" };
    assert.deepEqual(toClusterNode(node("w")), expected);
    assert.equal(toClusterNode(node("c", { controlPlane: true, addresses: ["192.0.2.7"] })).address6, undefined);
  });

  it("has the first Ready workers by name, up to the limit", () => {
    const nodes = ["w10", "w2", "w1"].map((name) => node(name));
    const all = [node("c", { controlPlane: true }), node("w0", { ready: false }), ...nodes];
    assert.deepEqual(
      chooseWorkers(all, 2).map(({ name }) => name),
      ["w1", "w2"],
    );
  });

  it("has the families of the IPPools and Services", () => {
    const facts = (overlayCidrs: readonly string[], serviceCidrs: readonly string[]) =>
      ({ server: "v1.31.4", overlayCidrs, serviceCidrs }) as unknown as ClusterInventory;
    const listRanges = (...[overlay, service]: Parameters<typeof facts>) => {
      const proxy = { version: "v1.31.4", mode: "iptables" } as const;
      const spec = toClusterSpec({ ...DEFAULT_SPEC, probe: "" }, facts(overlay, service), proxy);
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
    await assert.rejects(parsePoolRange("10.8.0.0/24", undefined, ["w"], nodePods), /name the underlay with --subnet/);
    await assert.rejects(parsePoolRange("10.7.210.0/24", undefined, ["w"], "not admitted"), /name it with --subnet/);
  });
});

describe("the selection for a run on an existing cluster", () => {
  it("uses the named network, Interlay's, or the only one", () => {
    const interlay = { image: "i", returnPath: "notrack", ours: false };
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
    const kind = [node("a", { providerId: "kind://docker/c1/a" }), node("b", { providerId: "kind://docker/c1/b" })];
    assert.deepEqual(chooseImageSource(kind, {}), { kind: "kind", cluster: "c1" });
    assert.deepEqual(chooseImageSource(kind, { image: "r/probe:1" }), { kind: "named", probe: "r/probe:1" });
    assert.deepEqual(chooseImageSource([node("a", { runtime: "interlay-lab://1" })], {}), { kind: "lab" });
    assert.deepEqual(chooseImageSource([node("a"), ...kind], {}), { kind: "unknown" });
  });
});
