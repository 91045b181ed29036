import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { observePlugins } from "./observe-plugins.ts";
import { useDirectory } from "../testing/use-directory.ts";

describe("observePlugins", () => {
  const directory = useDirectory("suite");
  let count = 0;
  /** Observes a root directory with these files. */
  const observe = (files: Readonly<Record<string, unknown>>) => {
    const root = join(directory, String(count++));
    mkdirSync(root);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), JSON.stringify(content));
    }
    return observePlugins([root], [join(root, "host/opt/cni/bin"), join(root, "opt/cni/bin")]);
  };

  it("reads the directory of the distribution, and finds Multus in one that its runtime does not read", () => {
    const k3s = "/var/lib/rancher/k3s/agent/etc/cni/net.d";
    const seen = observe({ [`${k3s}/10-flannel.conflist`]: {}, "/etc/cni/net.d/00-multus.conf": {} });
    assert.deepEqual(
      [seen.cniDirectory, seen.cniConfigs, seen.multusElsewhere],
      [k3s, ["10-flannel.conflist"], "/etc/cni/net.d"],
    );
  });

  it("finds no directory on a node without one", () => {
    assert.equal(observe({}).cniConfigs, null);
  });

  it("finds the plugins of a node that has both paths of the plugin directory", () => {
    const both = observe({ "/host/opt/cni/bin/interlay": {}, "/opt/cni/bin/macvlan": {}, "/opt/cni/bin/interlay": {} });
    assert.deepEqual(both.plugins, { missing: ["interlay-ipam", "portmap"], onlyInterlay: false });
    const wrong = observe({ "/host/opt/cni/bin/interlay": {} });
    assert.equal(wrong.plugins?.onlyInterlay, true);
    assert.equal(observe({}).plugins, undefined);
  });

  const ISOLATED = { type: "multus", namespaceIsolation: true };
  for (const [title, files, isolates] of [
    ["a configuration without isolation", { "/etc/cni/net.d/00-multus.conf": { type: "multus" } }, false],
    ["a configuration with isolation", { "/etc/cni/net.d/00-multus.conf": ISOLATED }, true],
    [
      "a configuration that exempts interlay-system",
      { "/etc/cni/net.d/00-multus.conf": { ...ISOLATED, globalNamespaces: "default, interlay-system" } },
      false,
    ],
    [
      "the configuration of a daemon with isolation",
      {
        "/etc/cni/net.d/00-multus.conf": { type: "multus-shim" },
        "/etc/cni/net.d/multus.d/daemon-config.json": { namespaceIsolation: true },
      },
      true,
    ],
  ] as const)
    it(`reads ${title} of Multus`, () => {
      assert.equal(observe(files).multusIsolation, isolates);
    });
});
