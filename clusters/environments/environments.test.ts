import assert from "node:assert/strict";
import { parse } from "yaml";
import { applyCalicoSettings, listCalicoVariables, renderPool } from "./calico-settings.ts";
import { applyKubeProxySettings } from "./kube-proxy-settings.ts";
import { listNodeCommands } from "./list-node-commands.ts";
import { ENVIRONMENTS, findEnvironment, parseEnvironments } from "./registry.ts";
import { findMissingRequirement } from "./requirements.ts";

describe("the registry of environments", () => {
  it("has every name once, short enough for host names", () => {
    const names = ENVIRONMENTS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z0-9-]{1,28}$/);
  });

  it("gives every environment a title, real clusters, a change and a provider", () => {
    for (const { name, title, realClusters, changes, providers } of ENVIRONMENTS)
      assert.ok(title && realClusters && changes && providers.length > 0, name);
  });

  it("parses a list and all", () => {
    assert.deepEqual(
      parseEnvironments("nftables, default").map(({ name }) => name),
      ["nftables", "default"],
    );
    assert.equal(parseEnvironments("all").length, ENVIRONMENTS.length);
  });

  it("refuses an unknown name and lists the known ones", () => {
    assert.throws(() => findEnvironment("nope"), /unknown environment "nope": use all, or names from default, /);
  });
});

describe("kube-proxy settings of an environment", () => {
  const config = "clusterCIDR: 10.233.64.0/18\niptables:\n  minSyncPeriod: 1s\nmode: iptables\n";

  it("kube-proxy settings of an environment replace a field and merge a mapping", () => {
    const settings = { config: { clusterCIDR: "", iptables: { masqueradeAll: true } } };
    assert.deepEqual(parse(applyKubeProxySettings(config, settings)), {
      clusterCIDR: "",
      iptables: { minSyncPeriod: "1s", masqueradeAll: true },
      mode: "iptables",
    });
  });

  it("leave the configuration as it is where there are none", () => {
    assert.equal(applyKubeProxySettings(config, { mode: "nftables" }), config);
  });
});

describe("Calico settings of an environment", () => {
  it("become variables of calico-node", () => {
    assert.deepEqual(listCalicoVariables({ pool: { natOutgoing: false }, interfacePrefix: "pod" }), {
      CALICO_IPV4POOL_NAT_OUTGOING: "false",
      CALICO_IPV6POOL_NAT_OUTGOING: "false",
      FELIX_INTERFACEPREFIX: "pod",
    });
  });

  it("Calico settings of an environment replace a variable of the container calico-node and leave other containers alone", () => {
    const manifest = [
      "kind: ServiceAccount\nmetadata: { name: a }\n",
      "kind: DaemonSet\nspec: { template: { spec: { containers: [{ name: calico-node, env: [{ name: FELIX_INTERFACEPREFIX, value: cali }, { name: IP }] }, { name: other, env: [{ name: IP }] }] } } }\n",
    ].join("---\n");
    const [, set = ""] = applyCalicoSettings(manifest, { interfacePrefix: "pod" }).split("---\n");
    assert.deepEqual(parse(set), {
      kind: "DaemonSet",
      spec: {
        template: {
          spec: {
            containers: [
              { name: "calico-node", env: [{ name: "IP" }, { name: "FELIX_INTERFACEPREFIX", value: "pod" }] },
              { name: "other", env: [{ name: "IP" }] },
            ],
          },
        },
      },
    });
  });

  it("render a pool that stands for the underlay", () => {
    const { spec } = renderPool({ name: "p", cidr: "underlay", disabled: true }, "10.7.0.0/16");
    assert.equal(spec.cidr, "10.7.0.0/16");
  });
});

describe("commands for a node of an environment", () => {
  it("set the MTU, then sysctls, then rules in each family", () => {
    const settings = {
      mtu: 1400,
      sysctls: { "net.ipv4.conf.all.rp_filter": "1" },
      iptables: [["-P", "FORWARD", "DROP"]],
    };
    assert.deepEqual(listNodeCommands(settings, ["ipv4", "ipv6"]), [
      ["ip", "link", "set", "dev", "eth0", "mtu", "1400"],
      ["sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=1"],
      ["iptables", "-w", "-P", "FORWARD", "DROP"],
      ["ip6tables", "-w", "-P", "FORWARD", "DROP"],
    ]);
  });
});

describe("kernel requirements of an environment", () => {
  const environment = findEnvironment("default");

  it("kernel requirements of an environment are met where there are none", async () => {
    assert.equal(await findMissingRequirement(environment), undefined);
  });

  it("kernel requirements of an environment name the link type that the kernel lacks", async () => {
    const missing = await findMissingRequirement({ ...environment, requires: [{ linkType: "no-such-type" }] });
    assert.match(missing ?? "", /^this kernel cannot make no-such-type links/);
  });
});
