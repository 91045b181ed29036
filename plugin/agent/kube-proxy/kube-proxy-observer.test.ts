import assert from "node:assert/strict";
import { parseImageVersion, findInvalidDrop, parseVersion } from "./kube-proxy-observer.ts";

describe("kube-proxy's own metrics and image", () => {
  it("should read kube-proxy's version from its metrics, otherwise from its image", () => {
    const metrics = `# TYPE kubernetes_build_info gauge\nkubernetes_build_info{build_date="",git_version="v1.29.15",major="1"} 1\n`;
    assert.equal(parseVersion(metrics), "v1.29.15");
    assert.equal(parseVersion(""), null);
    assert.equal(parseImageVersion("registry.k8s.io/kube-proxy:v1.28.15"), "v1.28.15");
    assert.equal(parseImageVersion("registry.k8s.io/kube-proxy:v1.31.0-rc.1@sha256:00"), "v1.31.0-rc.1");
    assert.equal(parseImageVersion("kube-proxy@sha256:00"), null);
  });

  const RULES: readonly (readonly [string, string, boolean, number | undefined])[] = [
    [
      "iptables, counted",
      "*filter\n[12:720] -A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name x -j DROP\n",
      true,
      12,
    ],
    ["iptables, not counted", "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n", true, undefined],
    ["nftables", "\tchain filter-forward {\n\t\tct state invalid drop\n\t}\n", true, undefined],
    ["nftables, counted", "\t\tct state invalid counter packets 3 bytes 180 drop\n", true, 3],
    [
      "Calico's own check is another one",
      "-A cali-tw-cali1 -m conntrack --ctstate INVALID -j DROP\n",
      false,
      undefined,
    ],
    ["nothing", "", false, undefined],
  ];
  for (const [what, rules, exists, drops] of RULES)
    it(`its INVALID rule: ${what}`, () => {
      assert.deepEqual(findInvalidDrop(rules), { invalidDropRule: exists, invalidDrops: drops });
    });
});
