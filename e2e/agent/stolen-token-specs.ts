import assert from "node:assert/strict";
import type { KubernetesObject } from "@kubernetes/client-node";
import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { DeferCleanup, Eventually, It, Skip } from "../harness.ts";
import { GROUP_VERSION, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { type StolenRequest, TokenThief } from "./stolen-token.ts";

const AGENT = "interlay-agent";
const CONTROLLER = "interlay-controller";
const INTERLAY = `/apis/${GROUP_VERSION}`;
const MULTUS = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

const rulesReview = z.object({
  status: z.object({
    resourceRules: z.array(
      z.object({
        verbs: z.array(z.string()),
        apiGroups: z.array(z.string()).default([]),
        resources: z.array(z.string()).default([]),
        resourceNames: z.array(z.string()).default([]),
      }),
    ),
  }),
});

/** Grants that every authenticated user has: reviews of its own permissions. */
const SELF_REVIEWS = /^create self(subjectaccessreviews|subjectrulesreviews|subjectreviews)\./;

/** Requests that neither agents nor the controller may send. */
const REFUSED_TO_ALL: readonly StolenRequest[] = [
  { verb: "list", path: "/api/v1/secrets" },
  { verb: "get", path: "/api/v1/namespaces/kube-system/secrets/any" },
  { verb: "get", path: "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication" },
  {
    verb: "create",
    path: "/api/v1/namespaces/default/pods",
    body: { apiVersion: "v1", kind: "Pod", metadata: { name: "x" } },
  },
  { verb: "delete", path: "/api/v1/namespaces/default/pods/any" },
  { verb: "delete", path: "/api/v1/namespaces/interlay-system/pods/any" },
  { verb: "patch", path: "/api/v1/nodes/any", body: { metadata: { labels: { a: "b" } } } },
  { verb: "patch", path: "/api/v1/namespaces/default/services/kubernetes", body: { spec: {} } },
  { verb: "patch", path: `/apis/apps/v1/namespaces/${SYSTEM_NAMESPACE}/daemonsets/interlay`, body: { spec: {} } },
  { verb: "patch", path: `/apis/apps/v1/namespaces/${SYSTEM_NAMESPACE}/deployments/interlay-controller`, body: {} },
  { verb: "create", path: `/api/v1/namespaces/${SYSTEM_NAMESPACE}/serviceaccounts/${CONTROLLER}/token`, body: {} },
  { verb: "create", path: `${RBAC}/clusterrolebindings`, body: { apiVersion: "rbac.authorization.k8s.io/v1" } },
  { verb: "patch", path: `${RBAC}/clusterroles/${AGENT}`, body: { rules: [] } },
  { verb: "delete", path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/any" },
  { verb: "create", path: `${INTERLAY}/underlaypools`, body: {} },
  { verb: "delete", path: `${INTERLAY}/underlaypools/underlay` },
  { verb: "create", path: `${INTERLAY}/underlaynetworks`, body: {} },
  { verb: "delete", path: `${INTERLAY}/underlaynetworks/any` },
  { verb: "delete", path: `${MULTUS}/any` },
];

/** Requests that only the controller may send. */
const REFUSED_TO_AGENTS: readonly StolenRequest[] = [
  { verb: "patch", path: `${INTERLAY}/underlaypools/underlay`, body: { spec: { ranges: ["10.7.0.0/16"] } } },
  { verb: "create", path: MULTUS, body: { apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition" } },
  { verb: "patch", path: `${MULTUS}/any`, body: { spec: { config: "{}" } } },
  { verb: "patch", path: `${INTERLAY}/underlaypools/underlay/status`, body: { status: { occupied: [] } } },
  { verb: "patch", path: `${INTERLAY}/underlaynetworks/any/status`, body: { status: {} } },
  {
    verb: "patch",
    path: `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM_NAMESPACE}/leases/interlay-leader`,
    body: { spec: { holderIdentity: "thief" } },
  },
];

/** Requests that only agents may send, each for its own node. */
const REFUSED_TO_CONTROLLER: readonly StolenRequest[] = [
  { verb: "list", path: "/api/v1/pods" },
  { verb: "patch", path: `${INTERLAY}/nodestates/any/status`, body: { status: {} } },
];

interface Fixture {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
}

/**
 * Registers specs that send requests with tokens of Interlay's pods.
 *
 * @param listGrants lists what the manifests grant to an account, like `list pods in kube-system`
 */
export function registerStolenTokenSpecs(
  getFixture: () => Fixture,
  listGrants: (account: string) => Promise<ReadonlySet<string>>,
): void {
  const takeToken = (account: string, pod?: string) =>
    TokenThief.steal(getFixture().cluster.kubeconfig, getFixture().api, account, pod);
  for (const account of [AGENT, CONTROLLER])
    It(`the token of ${account} may do nothing but what its manifests grant`, async () => {
      const grants = await listGrants(account);
      const thief = await takeToken(account);
      for (const namespace of ["default", "kube-system", SYSTEM_NAMESPACE]) {
        const review = await thief.createObject("create", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectRulesReview",
          spec: { namespace },
        });
        const allowed = rulesReview
          .parse(review)
          .status.resourceRules.flatMap(({ verbs, apiGroups, resources }) =>
            verbs.flatMap((verb) =>
              resources.flatMap((resource) =>
                apiGroups.map((group) => `${verb} ${resource}${group === "" ? "" : `.${group}`}`),
              ),
            ),
          );
        const notGranted = allowed.filter(
          (permission) =>
            !SELF_REVIEWS.test(permission) && !grants.has(permission) && !grants.has(`${permission} in ${namespace}`),
        );
        assert.deepEqual(notGranted, [], `in ${namespace}`);
      }
    });

  const refusedRequests: readonly (readonly [account: string, requests: readonly StolenRequest[]])[] = [
    [AGENT, [...REFUSED_TO_ALL, ...REFUSED_TO_AGENTS]],
    [CONTROLLER, [...REFUSED_TO_ALL, ...REFUSED_TO_CONTROLLER]],
  ];
  for (const [account, requests] of refusedRequests)
    It(`the API server refuses ${requests.length} requests with a stolen token of ${account}`, async () => {
      const { api } = getFixture();
      const app = account === AGENT ? "interlay" : CONTROLLER;
      const pods = await api.core.listNamespacedPod({ namespace: SYSTEM_NAMESPACE, labelSelector: `app=${app}` });
      const thief = await takeToken(account, pods.items[0]?.metadata?.name);
      const allowed: string[] = [];
      for (const request of requests)
        if ((await thief.request(request)) === undefined) allowed.push(`${request.verb} ${request.path}`);
      assert.deepEqual(allowed, []);
    });

  It("a stolen token of an agent writes addresses and NodeStates of its own node only", async () => {
    const { api, cluster } = getFixture();
    const policies = await api.objects
      .list("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy")
      .catch(() => api.objects.list("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy"))
      .catch(() => undefined);
    if (policies === undefined) Skip("the API server does not serve ValidatingAdmissionPolicy");
    const [ownNode = "", otherNode = ""] = cluster.nodes.map(({ name }) => name);
    const pods = await api.core.listNamespacedPod({ namespace: SYSTEM_NAMESPACE, labelSelector: "app=interlay" });
    const pod = pods.items.find(({ spec }) => spec?.nodeName === ownNode)?.metadata?.name;
    const thief = await takeToken(AGENT, pod);
    const address = (node: string, changes: Readonly<Record<string, unknown>> = {}) => ({
      apiVersion: GROUP_VERSION,
      kind: "UnderlayAddress",
      metadata: { name: node === ownNode ? "203.0.113.8" : "203.0.113.9" },
      spec: {
        address: node === ownNode ? "203.0.113.8" : "203.0.113.9",
        pool: "none",
        node,
        containerId: "c",
        ifname: "eth0",
        pod: { namespace: "shop", name: "db-0", uid: "u" },
        ...changes,
      },
    });
    const path = `${INTERLAY}/underlayaddresses`;
    const otherAddress = await api.objects.create<KubernetesObject>(address(otherNode));
    DeferCleanup(() => api.objects.delete(address(otherNode)));
    // The controller labels it, which changes its version.
    const labelled = await Eventually(
      "the address has the controller's labels",
      () => api.objects.read<KubernetesObject>({ ...otherAddress, metadata: { name: "203.0.113.9" } }),
      ({ metadata }) => metadata?.labels?.["interlay.dev/node"] !== undefined,
    );
    const { resourceVersion = "" } = labelled.metadata ?? {};
    const changeAddress = (spec: Readonly<Record<string, unknown>>) => {
      const object = address(otherNode, spec);
      return { ...object, metadata: { ...object.metadata, resourceVersion } };
    };
    const patchState = (node: string): StolenRequest => ({
      verb: "patch",
      path: `${INTERLAY}/nodestates/${node}/status`,
      body: { status: { attachments: 7 } },
    });
    const allowed: readonly (readonly [string, StolenRequest])[] = [
      ["create an address of the own node", { verb: "create", path, body: address(ownNode) }],
      ["patch the own NodeState", patchState(ownNode)],
    ];
    const refused: readonly (readonly [string, StolenRequest, RegExp])[] = [
      ["create an address of another node", { verb: "create", path, body: address(otherNode) }, /own node only/],
      ["delete an address of another node", { verb: "delete", path: `${path}/203.0.113.9` }, /another node/],
      [
        "take over an address that another node uses",
        {
          verb: "update",
          path: `${path}/203.0.113.9`,
          body: changeAddress({ node: ownNode, pod: { namespace: "shop", name: "db-0", uid: "v" } }),
        },
        /another node/,
      ],
      [
        "take over an address for another pod",
        {
          verb: "update",
          path: `${path}/203.0.113.9`,
          body: changeAddress({ node: ownNode, containerId: "", pod: { namespace: "x", name: "y", uid: "v" } }),
        },
        /another node/,
      ],
      [
        "mark another node's address as in conflict",
        { verb: "update", path: `${path}/203.0.113.9`, body: changeAddress({ conflict: "02:00:00:00:00:01" }) },
        /own node only/,
      ],
      ["patch another node's NodeState", patchState(otherNode), /own node only/],
    ];
    for (const [action, request] of allowed) assert.equal(await thief.request(request), undefined, action);
    for (const [action, request, reason] of refused)
      assert.match((await thief.request(request)) ?? "allowed", reason, action);

    const unbound = await takeToken(AGENT);
    assert.match((await unbound.request(patchState(ownNode))) ?? "allowed", /own node only/, "a token without a node");
    assert.match(
      (await unbound.request({ verb: "create", path, body: address(ownNode) })) ?? "allowed",
      /names no node|own node only/,
      "a token without a node",
    );
  });
}
