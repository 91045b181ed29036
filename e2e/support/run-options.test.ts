import assert from "node:assert/strict";
import { parseRunOptions } from "./run-options.ts";

describe("parseRunOptions", () => {
  const parse = (kubernetes: string, kubeProxy: string, more = {}) =>
    parseRunOptions({ INTERLAY_KUBERNETES: kubernetes, INTERLAY_KUBE_PROXY: kubeProxy, ...more });

  it("returns a variant for each kube-proxy with each return path", () => {
    assert.deepEqual(
      parse("v1.29.15", "v1.28.15,v1.29.15/nftables", { INTERLAY_RETURN_PATH: "notrack,none" }).variants.map(
        ({ kubeProxy: { version, mode }, returnPath }) => `${version} ${mode} ${returnPath}`,
      ),
      ["v1.28.15 iptables notrack", "v1.28.15 iptables none", "v1.29.15 nftables notrack", "v1.29.15 nftables none"],
    );
  });

  for (const [kubernetes, ...kubeProxies] of [
    ["v1.29.15", "v1.28.15", "v1.29.15"],
    ["v1.32.1", "v1.29.15"],
    ["v1.34.1", "v1.34.1"],
  ] as const)
    it(`chooses kube-proxy ${kubeProxies.join(" and ")} by default for a control plane of ${kubernetes}`, () => {
      const { variants } = parseRunOptions({ INTERLAY_KUBERNETES: kubernetes, INTERLAY_RETURN_PATH: "notrack" });
      assert.deepEqual(
        variants.map(({ kubeProxy }) => kubeProxy.version),
        kubeProxies,
      );
    });

  for (const [kubernetes, kubeProxy] of [
    ["v1.29.15", "v1.34.1/nftables"],
    ["v1.34.1", "v1.29.15"],
  ] as const)
    it(`rejects kube-proxy ${kubeProxy} with a control plane of ${kubernetes}, except for an existing cluster`, () => {
      assert.throws(() => parse(kubernetes, kubeProxy), /version skew policy.*--kubernetes/);
      assert.doesNotThrow(() => parse(kubernetes, kubeProxy, { INTERLAY_PROVIDER: "existing" }));
    });

  for (const kubeProxy of ["v1.29.15/ipvs", "none"])
    it(`accepts kube-proxy ${kubeProxy} for an existing cluster alone`, () => {
      assert.throws(() => parse("v1.29.15", kubeProxy), /the suite runs only iptables and nftables itself/);
      const { variants } = parse("v1.29.15", kubeProxy, { INTERLAY_PROVIDER: "existing" });
      assert.equal(variants[0]?.kubeProxy.mode, kubeProxy === "none" ? "none" : "ipvs");
    });
});
