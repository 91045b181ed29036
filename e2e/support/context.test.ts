import assert from "node:assert/strict";
import { runOptions } from "./context.ts";

describe("a run's options", () => {
  const of = (kubernetes: string, kubeProxy: string, more = {}) =>
    runOptions({ INTERLAY_KUBERNETES: kubernetes, INTERLAY_KUBE_PROXY: kubeProxy, ...more });

  it("are each kube-proxy with each return path", () => {
    assert.deepEqual(
      of("v1.29.15", "v1.28.15,v1.29.15/nftables", { INTERLAY_RETURN_PATH: "notrack,none" }).variants.map(
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
    it(`are ${kubeProxies.join(" and ")} beside a control plane of ${kubernetes}, if nothing is said`, () => {
      const { variants } = runOptions({ INTERLAY_KUBERNETES: kubernetes, INTERLAY_RETURN_PATH: "notrack" });
      assert.deepEqual(
        variants.map(({ kubeProxy }) => kubeProxy.version),
        kubeProxies,
      );
    });

  for (const [kubernetes, kubeProxy] of [
    ["v1.29.15", "v1.34.1/nftables"],
    ["v1.34.1", "v1.29.15"],
  ] as const)
    it(`refuse kube-proxy ${kubeProxy} with a control plane of ${kubernetes}, but for a cluster that is there`, () => {
      assert.throws(() => of(kubernetes, kubeProxy), /version skew policy.*--kubernetes/);
      assert.doesNotThrow(() => of(kubernetes, kubeProxy, { INTERLAY_PROVIDER: "existing" }));
    });
});
