import assert from "node:assert/strict";
import { parseIp } from "../../datapath/address.ts";
import { findNetworkOverUnderlay, readPodNetworks } from "./pod-detection.ts";

describe("readPodNetworks", () => {
  const cases: readonly (readonly [string, string | undefined, readonly string[]])[] = [
    [
      "reads clusterCIDR of both families",
      "clusterCIDR: 10.233.64.0/18,fd00:1::/64",
      ["10.233.64.0/18", "fd00:1::/64"],
    ],
    ["reads clusterCIDR with the mode named", "clusterCIDR: 10.0.0.0/8\ndetectLocalMode: ClusterCIDR", ["10.0.0.0/8"]],
    [
      "has none where kube-proxy detects pods by a link",
      "clusterCIDR: 10.0.0.0/8\ndetectLocalMode: BridgeInterface",
      [],
    ],
    ["has none with an empty clusterCIDR", 'clusterCIDR: ""', []],
    ["has none without a configuration", undefined, []],
    ["has none in a configuration that is not YAML", "clusterCIDR: [", []],
    ["leaves out a network that cannot be parsed", "clusterCIDR: 10.0.0.0/99,fd00::/8", ["fd00::/8"]],
  ];
  for (const [title, config, networks] of cases)
    it(title, () => {
      assert.deepEqual(readPodNetworks(config), networks);
    });
});

describe("findNetworkOverUnderlay", () => {
  const addresses = [parseIp("10.7.168.71"), parseIp("fd00:7::71")];

  it("finds the network that contains a node's address", () => {
    assert.equal(
      findNetworkOverUnderlay(readPodNetworks("clusterCIDR: fd00:1::/64,10.0.0.0/8"), addresses),
      "10.0.0.0/8",
    );
  });

  it("should find none if the networks contain only pods", () => {
    assert.equal(findNetworkOverUnderlay(readPodNetworks("clusterCIDR: 10.233.64.0/18"), addresses), undefined);
  });
});
