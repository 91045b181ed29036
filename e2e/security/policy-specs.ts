import assert from "node:assert/strict";
import type { AgentFixture } from "../agent/agent-fixture.ts";
import { DeferCleanup, Eventually, It } from "../harness.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { listPolicyLines, type PolicyLine } from "./policy-lines.ts";

/** Time for felix to write a policy into the kernel, in milliseconds. */
const POLICY_MS = 30_000;

/** Registers specs for what a NetworkPolicy does for each pod type. */
export function registerPolicySpecs(getFixture: () => AgentFixture): void {
  for (const line of listPolicyLines())
    It(
      `a NetworkPolicy that denies ${line.direction.toLowerCase()} of ${describePod(line)} has the documented effect`,
      async () => {
        await assertAnswers(getFixture(), line, () => true, "before the policy");
        await createPolicy(getFixture(), {
          podSelector: { matchExpressions: [{ key: "probe", operator: "In", values: line.pods }] },
          policyTypes: [line.direction],
        });
        await assertAnswers(getFixture(), line, ({ enforced }) => !enforced, "with the policy");
      },
    );

  It("a NetworkPolicy selects underlay pods as clients by their labels and by their addresses", async () => {
    const fixture = getFixture();
    const { deployment } = fixture;
    const server = "overlay-2-b";
    const policy = { podSelector: selectPod(server), policyTypes: ["Ingress"] };
    const clients = [
      { podSelector: selectPod("underlay-1-a") },
      { ipBlock: { cidr: `${deployment.getAddress("underlay-2-a", "main")}/32` } },
    ];
    await createPolicy(fixture, { ...policy, ingress: [{ _from: clients }] });
    const expected = { "underlay-1-a": true, "underlay-2-a": true, "underlay-1-b": false, "multi-nic-1-a": false };
    await Eventually(
      "only the named underlay pods are answered",
      () =>
        probeAll(
          fixture,
          Object.keys(expected).map((from) => ({ from, to: server, nic: "main" as const })),
        ),
      (answers) => Object.values(expected).every((answered, index) => answers[index] === answered),
      { timeout: POLICY_MS },
    );
    assert.equal(await reachService(fixture, "underlay-1-a", "overlay-2"), false);
  });
}

const describePod = ({ type }: PolicyLine): string => (type === "multi-nic" ? "a multi-NIC pod" : `an ${type} pod`);
const selectPod = (name: string) => ({ matchLabels: { probe: name } });

/** Creates a policy until the spec ends. */
async function createPolicy({ api }: AgentFixture, spec: object): Promise<void> {
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "security", namespace: NAMESPACE },
    spec,
  };
  await ensureObject(api, policy);
  DeferCleanup(() => api.objects.delete(policy));
}

/** Waits until each connection of the line is answered as it should be. */
async function assertAnswers(
  fixture: AgentFixture,
  { paths }: PolicyLine,
  isAnswered: (path: PolicyLine["paths"][number]) => boolean,
  when: string,
): Promise<void> {
  await Eventually(
    `connections are answered as documented ${when}`,
    async () => {
      const answers = await probeAll(fixture, paths);
      return paths.flatMap((path, index) =>
        answers[index] === isAnswered(path)
          ? []
          : [`${path.from} -> ${path.to} (${path.nic}): ${answers[index] === true ? "answered" : "not answered"}`],
      );
    },
    (wrongAnswers) => wrongAnswers.length === 0,
    { timeout: POLICY_MS },
  );
}

function probeAll(
  { deployment, canReach }: AgentFixture,
  paths: readonly Pick<PolicyLine["paths"][number], "from" | "to" | "nic">[],
): Promise<readonly boolean[]> {
  return Promise.all(paths.map(({ from, to, nic }) => canReach(from, deployment.getAddress(to, nic))));
}

async function reachService({ deployment, canReach }: AgentFixture, from: string, service: string): Promise<boolean> {
  const to = { kind: "service", service } as const;
  const { address } = deployment.locate({ to, protocol: "tcp", port: TCP_PORT, family: "ipv4" });
  return canReach(from, address);
}
