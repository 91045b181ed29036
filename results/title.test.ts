import assert from "node:assert/strict";
import { getPodTypeTitles, getReportTitle, variantTitle } from "./title.ts";

describe("the titles of a report", () => {
  const titles = [
    ["Calico, where its version was found", { calico: "v3.28.5" }, "Calico"],
    ["flannel, where its version was found", { flannel: "v0.27.4", cniPlugins: "v1.9.1" }, "Flannel"],
    ["an overlay without a name, where none was found", { kubernetes: "v1.29.15" }, "Overlay"],
  ] as const;
  for (const [title, versions, overlay] of titles)
    it(`the titles of a report name ${title}`, () => {
      assert.deepEqual(getPodTypeTitles({ versions }), {
        overlay,
        underlay: "Macvlan",
        "multi-nic": `${overlay}+Macvlan`,
      });
    });

  it("the titles of a report name neither Interlay nor macvlan for another solution", () => {
    assert.equal(getReportTitle({ datapath: "none" }), "Connectivity");
    assert.equal(getReportTitle({ datapath: "interlay" }), "Interlay connectivity");
    assert.equal(getPodTypeTitles({ versions: {}, datapath: "none" }).underlay, "Underlay");
  });

  it("the titles of a report say that a cluster has no kube-proxy", () => {
    const none = { kubeProxy: { version: "none", mode: "none" }, returnPath: "notrack" } as const;
    assert.equal(variantTitle(none), "no kube-proxy, return path notrack");
    const ipvs = { kubeProxy: { version: "v1.31.4", mode: "ipvs" }, returnPath: "none" } as const;
    assert.equal(variantTitle(ipvs), "kube-proxy v1.31.4 (ipvs), return path none");
  });
});
