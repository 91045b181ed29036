import assert from "node:assert/strict";
import { isReusable, type LabPlan } from "./lab-plan.ts";

const plan: LabPlan = {
  kubernetes: "v1.29.15",
  overlayCidr: "10.233.64.0/18",
  serviceCidr: "10.233.0.0/18",
  machines: {
    nodes: [{ name: "w1", role: "worker", address: "10.7.168.71" }],
    external: { name: "external", address: "10.7.168.10" },
    gateway: "10.7.0.1",
    prefixLength: 16,
  },
  programs: { etcd: "/cache/etcd", "kube-proxy-v1.28.15": "/cache/28", "kube-proxy-v1.29.15": "/cache/29" },
  images: { interlay: "interlay:1", probe: "probe:1" },
  port: 6443,
};
const programs = Object.fromEntries(Object.entries(plan.programs).filter(([name]) => name !== "kube-proxy-v1.28.15"));

describe("isReusable", () => {
  const table: readonly (readonly [string, Partial<LabPlan>, boolean])[] = [
    ["a lab that was created by the same options, on another port", { port: 0 }, true],
    ["a lab with more versions of kube-proxy", { programs }, true],
    ["no lab without a wanted version", { programs: { ...plan.programs, "kube-proxy-v1.34.1": "/cache/34" } }, false],
    ["no lab with another build of a program", { programs: { ...programs, etcd: "/cache/etcd2" } }, false],
    ["no lab of another version of Kubernetes", { kubernetes: "v1.34.1" }, false],
    ["no lab with other machines", { machines: { ...plan.machines, nodes: [] } }, false],
  ];
  for (const [title, change, expected] of table)
    it(`accepts ${title}`, () => {
      assert.equal(isReusable(plan, { ...plan, ...change }), expected);
    });
});
