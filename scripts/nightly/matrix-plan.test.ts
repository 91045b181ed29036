import assert from "node:assert/strict";
import { ENVIRONMENTS } from "../../clusters/environments/registry.ts";
import { type MatrixPlan, matrixPlan, nameComponents, planJobs } from "./matrix-plan.ts";
import plans from "./plans.json" with { type: "json" };

const PLAN: MatrixPlan = {
  providers: ["lab", "kind"],
  kubernetes: ["v1.29.15", "v1.34.1"],
  modes: ["iptables", "nftables"],
  families: ["ipv4", "dual"],
  returnPaths: ["liberal", "notrack"],
  evidence: "failed",
  environments: false,
};

describe("the plan of a matrix run", () => {
  const { jobs } = planJobs("nightly", PLAN);

  it("contains every combination once", () => {
    const names = jobs.map(({ name }) => name);
    assert.equal(names.length, 2 * 2 * 2 * 2);
    assert.equal(new Set(names).size, names.length);
  });

  for (const provider of PLAN.providers)
    it(`runs every version in both modes in dual stack on ${provider}`, () => {
      const dual = jobs.filter(({ name }) => name.startsWith(`nightly-${provider}-`) && name.endsWith("-dual"));
      assert.deepEqual(
        dual.map(({ kubernetes, variants }) => [kubernetes, variants[0]?.kubeProxy.mode]),
        [
          ["v1.29.15", "iptables"],
          ["v1.29.15", "nftables"],
          ["v1.34.1", "iptables"],
          ["v1.34.1", "nftables"],
        ],
      );
    });

  it("gives each job the arguments of e2e", () => {
    assert.equal(
      jobs[0]?.args.join(" "),
      "--provider lab --name nightly-lab-1-29-iptables-ipv4 --kubernetes v1.29.15 --kube-proxy v1.29.15/iptables --return-path liberal,notrack --family ipv4",
    );
  });

  it("runs every environment once on every provider that supports it, at most eight in a job", () => {
    const planned = planJobs("nightly", { ...PLAN, kubernetes: [], environments: true }).jobs;
    for (const provider of PLAN.providers) {
      const lists = planned.filter((job) => job.provider === provider).map(({ args }) => args.at(-1)?.split(",") ?? []);
      const supported = ENVIRONMENTS.filter(({ providers }) => providers.includes(provider));
      assert.deepEqual(
        lists.flat(),
        supported.map(({ name }) => name),
      );
      assert.ok(supported.length > 5 && lists.every(({ length }) => length <= 8));
    }
    assert.equal(planned[0]?.name, "nightly-lab-env-1");
  });

  it("captures the packets of every cell if it says so", () => {
    const [job] = planJobs("gate", { ...PLAN, evidence: "all" }).jobs;
    assert.deepEqual(job?.args.slice(-2), ["--evidence", "all"]);
  });

  it("rejects an invalid version", () => {
    assert.throws(() => planJobs("nightly", { ...PLAN, kubernetes: ["1.29"] }), /1\.29/);
  });
});

describe("a plan with versions of kube-proxy", () => {
  const planVersions = (kubeProxies: string[], kubernetes: string[]) =>
    planJobs("sweep", { ...PLAN, providers: ["lab"], families: ["ipv4"], kubeProxies, kubernetes });

  it("uses the oldest control plane within the version skew policy", () => {
    const { jobs } = planVersions(["v1.28.15", "v1.31.4", "v1.34.1", "v1.37.2"], ["v1.37.2", "v1.29.15", "v1.34.1"]);
    assert.deepEqual(
      jobs.map(({ kubernetes, args }) => [kubernetes, args[args.indexOf("--kube-proxy") + 1]]),
      [
        ["v1.29.15", "v1.28.15/iptables"],
        ["v1.34.1", "v1.31.4/iptables,v1.31.4/nftables,v1.34.1/iptables,v1.34.1/nftables"],
        ["v1.37.2", "v1.37.2/iptables,v1.37.2/nftables"],
      ],
    );
  });

  it("reports what it skips with the reason", () => {
    assert.deepEqual(planVersions(["v1.28.15", "v1.30.1"], ["v1.29.15"]).skipped, [
      "kube-proxy v1.28.15 (nftables): no nftables mode before v1.29",
      "kube-proxy v1.30.1 (iptables): the version skew policy allows none of v1.29.15",
      "kube-proxy v1.30.1 (nftables): the version skew policy allows none of v1.29.15",
    ]);
  });
});

describe("nameComponents", () => {
  it("is the same for jobs that need the same programs", () => {
    const plan = {
      ...PLAN,
      providers: ["lab"],
      kubernetes: ["v1.29.15"],
      kubeProxies: ["v1.28.15", "v1.29.15"],
    } as const;
    const { jobs } = planJobs("gate", matrixPlan.parse(plan));
    assert.deepEqual([...new Set(jobs.map(nameComponents))], ["lab-v1.28.15-v1.29.15"]);
    const [environments] = planJobs("nightly", { ...PLAN, kubernetes: [], environments: true }).jobs;
    assert.ok(environments);
    assert.match(nameComponents(environments), /^lab-environments-v1\.\d+\.\d+$/);
  });
});

describe("plans.json", () => {
  it("crosses the version gate every night, with a path captured for every cell", () => {
    const { evidence, kubeProxies, returnPaths } = matrixPlan.parse(plans.gate);
    assert.equal(evidence, "all");
    assert.deepEqual(kubeProxies, ["v1.28.15", "v1.29.15"]);
    for (const returnPath of ["liberal", "none"] as const) assert.ok(returnPaths.includes(returnPath));
  });

  for (const [name, plan] of Object.entries(plans))
    it(`contains a valid plan: ${name}`, () => {
      assert.ok(planJobs(name, matrixPlan.parse(plan)).jobs.length >= 2);
    });
});
