import assert from "node:assert/strict";
import type { Certificate } from "../../results/certificate/certificate-schema.ts";
import { renderCertificatePage } from "../../results/html/certificate-page.ts";
import { assessRuns } from "./assess.ts";
import { createHealthyReport } from "./example.ts";
import { renderReadme } from "./readme.ts";

const reports = [createHealthyReport(2, 1), createHealthyReport(2, 2)];
const certificate: Certificate = {
  issued: "2026-01-01T00:00:00.000Z",
  product: { vendor: "Example & <b>Sons</b>", name: "Cloud", version: "1.0" },
  ...assessRuns(reports, 2, ["base"]),
};

describe("the README of a submission", () => {
  it("has the commit and the command that make such a certificate", () => {
    const text = renderReadme(certificate, []);
    assert.match(text, /git checkout 0123456789abcdef0123456789abcdef01234567\n/);
    assert.match(
      text,
      /npm run certify -- --provider lab --nodes 2 --kube-proxy v1\.28\.15 --return-path liberal,notrack --kubernetes v1\.29\.15 --family ipv4 --profile base --repeat 2 --product PRODUCT\.yaml\n/,
    );
    assert.match(text, /Files of the suite differed/);
  });

  it("names kube-proxy's mode as the command line does", () => {
    const variants = certificate.variants.map((one) => ({
      ...one,
      kubeProxy: { version: "v1.31.4", mode: "nftables" as const },
    }));
    assert.match(renderReadme({ ...certificate, variants }, []), /--kube-proxy v1\.31\.4\/nftables /);
  });

  it("has the command for an existing cluster, and for a signed certificate", () => {
    const existing: Certificate = { ...certificate, provider: "existing", datapath: "none" };
    const text = renderReadme(existing, ["SHA256:x"]);
    assert.match(text, /--provider existing --kubeconfig FILE --yes --datapath none --profile base/);
    assert.match(text, /--verify DIRECTORY --public-key VENDOR\.pub/);
  });
});

describe("the page of a certificate", () => {
  it("has the tables, the components and a figure for each entry of the table", async () => {
    const html = await renderCertificatePage(certificate, [], reports[0] ?? createHealthyReport(2, 1));
    assert.equal(html.match(/<table class="grid">/g)?.length, 2);
    assert.equal(html.match(/<figure data-cell=/g)?.length, 18);
    assert.match(html, /Not known: digests of 1 images/);
    assert.match(html, /<td class="blocked">blocked<\/td>/);
  });

  it("escapes the vendor's texts", async () => {
    const html = await renderCertificatePage(certificate, [], reports[0] ?? createHealthyReport(2, 1));
    assert.ok(!html.includes("<b>Sons"));
    assert.ok(html.includes("Example &amp; &lt;b&gt;Sons"));
  });
});
