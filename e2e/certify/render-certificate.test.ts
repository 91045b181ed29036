import assert from "node:assert/strict";
import { PROFILES } from "../../results/certificate/certificate-schema.ts";
import type { Report } from "../../results/schema.ts";
import { getPodTypeTitles, getTargetTitles } from "../../results/title.ts";
import { assessRuns } from "./assess.ts";
import { createHealthyReport } from "./example.ts";
import { describeUnnamedProduct } from "./unnamed-product.ts";
import { renderCertificate } from "./render-certificate.ts";

const render = (change: Partial<Report> = {}): string => {
  const reports = [1, 2].map((number) => ({ ...createHealthyReport(2, number), ...change, id: `run-${number}` }));
  const product = describeUnnamedProduct({ provider: "lab", versions: { kubernetes: "v1.29.15" } });
  const issued = "2026-01-01T00:00:00.000Z";
  return renderCertificate({ issued, product, ...assessRuns(reports, 2, PROFILES) }, []);
};

describe("the summary of a certificate", () => {
  it("names provider, versions and evidence of the runs", () => {
    const text = render();
    assert.match(text, /2 runs on lab, 2 workers, ipv4, suite 1\.2\.3, commit 0123456789ab with changes/);
    assert.match(text, /versions: kubernetes v1\.29\.15, kernel 6\.1\.0/);
    assert.match(text, /captured paths/);
    assert.match(
      render({ provider: "existing", datapath: "none" }),
      /without captures; .*another solution than Interlay/,
    );
  });

  it("names the environment of each variant", () => {
    const { variants } = createHealthyReport(2, 1);
    const text = render({ variants: variants.map((one) => ({ ...one, environment: "two-racks" })) });
    assert.match(text, /environment two-racks, kube-proxy v1\.28\.15 \(iptables\), return path liberal: \d+ cells/);
  });

  it("names nodes, DaemonSets and what is not known", () => {
    const text = render();
    assert.match(text, /nodes: Debian 12, 6\.1\.0, amd64, containerd:\/\/1\.7/);
    assert.match(text, /DaemonSet kube-system\/calico-node: calico\/node:v3\.28\.5/);
    assert.match(text, /not known: digests of 1 images/);
  });

  it("does not invent a product", () => {
    assert.match(render(), /^unnamed \(no --product\) cluster of provider lab Kubernetes v1\.29\.15: /);
    assert.equal(describeUnnamedProduct({ provider: "existing", versions: {} }).version, "unknown");
  });
});

describe("the titles of the table", () => {
  it("the titles of the table name the networks that the run found", () => {
    assert.equal(getPodTypeTitles({ versions: { calico: "v3.28.5" } })["multi-nic"], "Calico+Macvlan");
    assert.equal(getTargetTitles({ versions: { calico: "v3.28.5" } })["overlay-service"], "Calico Service");
  });

  it("the titles of the table are general if the run did not find the networks", () => {
    assert.deepEqual(getPodTypeTitles({ versions: {}, datapath: "none" }), {
      overlay: "Overlay",
      underlay: "Underlay",
      "multi-nic": "Overlay+Underlay",
    });
  });
});
