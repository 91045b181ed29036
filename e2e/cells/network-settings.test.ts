import assert from "node:assert/strict";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { ENVIRONMENTS } from "../../clusters/environments/registry.ts";
import { getNetworkSettings, getUnknownSettings, isPodTraffic } from "./network-settings.ts";

const buildSettings = (environment: string, family: IpFamily = "ipv4") =>
  getNetworkSettings(
    { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack", environment },
    family,
  );

describe("the settings of an environment that decide about source addresses", () => {
  const podTraffic = [
    ["default", "ipv4", "overlay"],
    ["cluster-cidr-empty", "ipv4", "none"],
    ["cluster-cidr-covers-underlay", "ipv4", "overlay-and-underlay"],
    ["cluster-cidr-covers-underlay", "ipv6", "none"],
    ["detect-interface-cali", "ipv4", "own-overlay-pods"],
    ["detect-interface-veth", "ipv4", "own-underlay-pods"],
    ["detect-node-cidr", "ipv6", "nobody"],
  ] as const;
  for (const [environment, family, expected] of podTraffic)
    it(`${environment}, ${family}: kube-proxy takes for pods' traffic: ${expected}`, () => {
      assert.equal(buildSettings(environment, family).podTraffic, expected);
    });

  const natOutgoing = [
    ["default", "ipv4", true],
    ["nat-outgoing-off", "ipv4", false],
    ["nat-outgoing-off", "ipv6", false],
    ["disabled-pool-wide", "ipv4", false],
    ["disabled-pool-wide", "ipv6", true],
    ["disabled-pool-underlay", "ipv4", true],
  ] as const;
  for (const [environment, family, expected] of natOutgoing)
    it(`${environment}, ${family}: the overlay ${expected ? "masquerades" : "keeps"} its pods' addresses`, () => {
      assert.equal(buildSettings(environment, family).natOutgoing, expected);
    });

  it("the settings of an environment that decide about source addresses are known in every environment", () => {
    for (const { name } of ENVIRONMENTS) assert.notEqual(buildSettings(name).podTraffic, undefined, name);
    assert.equal(buildSettings("masquerade-all").masqueradeAll, true);
  });

  it("the settings of an environment that decide about source addresses do not say in an existing cluster with flannel or canal whether it masquerades", () => {
    const masquerades = (name: string) => getUnknownSettings({ [name]: "v1" }, "notrack").masqueradesToOverlay;
    assert.deepEqual(["flannel", "canal", "calico"].map(masquerades), [undefined, undefined, false]);
  });

  it("the settings of an environment that decide about source addresses do not say whom an unknown detector takes for a pod", () => {
    assert.equal(isPodTraffic(undefined, "overlay", true), undefined);
    assert.equal(isPodTraffic(undefined, "node", true), false);
  });
});
