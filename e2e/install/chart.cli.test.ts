import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { readManifest, renderAdmission, WORKLOADS } from "../../plugin/deploy/render-installation.ts";
import { CHART, resolveHelm } from "./helm.ts";

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const IMAGE = "image.repository=registry.example/interlay";
const NAMESPACE = "interlay-system";

/** Labels that the chart gives to its objects. */
const CHART_LABELS = /^(helm\.sh\/chart$|app\.kubernetes\.io\/)/;

function parseObjects(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** Removes the labels of the chart everywhere in an object. */
function removeChartLabels(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeChartLabels);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !CHART_LABELS.test(key))
    .map(([key, one]) => [key, removeChartLabels(one)] as const)
    .filter(([key, one]) => key !== "labels" || Object.keys(one as object).length > 0);
  return Object.fromEntries(entries);
}

function indexObjects(objects: readonly unknown[]): Readonly<Record<string, unknown>> {
  const all = objects as readonly KubernetesObject[];
  return Object.fromEntries(all.map((one) => [`${one.kind} ${one.metadata.name}`, one]));
}

describe("the chart", () => {
  let helm: string;
  before(async function () {
    this.timeout(0); // it may be built
    helm = await resolveHelm();
  });

  const template = (...set: readonly string[]) => [
    helm,
    ...["template", "interlay", CHART, "--namespace", NAMESPACE, "--kube-version", "1.29.15"],
    ...set.flatMap((one) => ["--set", one]),
  ];
  const render = async (...set: readonly string[]) =>
    indexObjects(parseObjects(await runOrThrow(template(IMAGE, ...set)))) as Readonly<Record<string, KubernetesObject>>;
  const refuse = async (...set: readonly string[]): Promise<string> => {
    const { exitCode, stderr } = await runCommand(template(...set));
    assert.notEqual(exitCode, 0, `${set.join(" ")} is accepted`);
    return stderr;
  };
  const renderAgent = async (...set: readonly string[]): Promise<string> =>
    JSON.stringify((await render(...set))["DaemonSet interlay"]);

  it("passes helm lint with no warning", async () => {
    const argv = [helm, "lint", CHART, "--strict", "--namespace", NAMESPACE, "--set", IMAGE];
    assert.match(await runOrThrow(argv), /1 chart\(s\) linted, 0 chart\(s\) failed/);
  });

  it("renders the objects of the kustomize base by default", async () => {
    const base = ["config.yaml", ...WORKLOADS]
      .flatMap((file) => parseObjects(readManifest(file)))
      .map((object) => JSON.parse(JSON.stringify(object).replace('"image":"interlay"', '"image":"IMAGE"')) as unknown);
    const chart = Object.values(await render("image.tag=v1")).map((object) =>
      removeChartLabels(
        JSON.parse(JSON.stringify(object).replace("registry.example/interlay:v1", "IMAGE")) as KubernetesObject,
      ),
    );
    assert.deepEqual(indexObjects(chart), indexObjects(base.map(removeChartLabels)));
  });

  it("renders the admission policies of the base from Kubernetes v1.30 on", async () => {
    const argv = template(IMAGE).map((one) => (one === "1.29.15" ? "1.30.0" : one));
    const rendered = indexObjects(parseObjects(await runOrThrow(argv)).map(removeChartLabels));
    const expectedObjects = parseObjects(renderAdmission("v1"));
    assert.equal(expectedObjects.length, 4);
    for (const object of expectedObjects)
      assert.deepEqual(rendered[`${object.kind} ${object.metadata.name}`], removeChartLabels(object));
    assert.equal((await render())["ValidatingAdmissionPolicy interlay-agent-addresses"], undefined);
  });

  it("applies the values of the controller, and its own service account", async () => {
    const deployment = JSON.stringify(
      (await render("controller.replicas=3", "controller.resources.limits.memory=1Gi"))[
        "Deployment interlay-controller"
      ],
    );
    assert.match(deployment, /"replicas":3.*"serviceAccountName":"interlay-controller".*"limits":\{"memory":"1Gi"\}/);
    assert.doesNotMatch(deployment, /privileged|hostNetwork|hostPath/);
  });

  it("renders the right to restart kube-proxy, as overlay liberal has it, only where it is asked for", async () => {
    const name = "Role interlay-restart-kube-proxy";
    assert.equal((await render())[name], undefined);
    const [role] = parseObjects(readManifest("../components/restart-kube-proxy/role.yaml"));
    assert.deepEqual(removeChartLabels((await render("restartKubeProxy=true"))[name]), role);
  });

  for (const [value, expected] of [
    ["image.tag=v2", "registry.example/interlay:v2"],
    [`image.digest=sha256:${"0".repeat(64)}`, `registry.example/interlay@sha256:${"0".repeat(64)}`],
    ["image.pullPolicy=Always", '"imagePullPolicy":"Always"'],
    ["imagePullSecrets[0].name=registry", '"imagePullSecrets":[{"name":"registry"}]'],
    ["resources.limits.memory=256Mi", '"limits":{"memory":"256Mi"}'],
    ["nodeSelector.zone=a", '"nodeSelector":{"kubernetes.io/os":"linux","zone":"a"}'],
    ["priorityClassName=high", '"priorityClassName":"high"'],
    ["updateStrategy.rollingUpdate.maxUnavailable=2", '"maxUnavailable":2'],
    ["cniBinDir=/var/lib/cni/bin", '"path":"/var/lib/cni/bin"'],
    ["healthPort=9999", '"path":"/readyz","port":9999'],
    ["logLevel=warn", '{"name":"LOG_LEVEL","value":"warn"}'],
    ["probes.liveness.periodSeconds=30", '"periodSeconds":30'],
    ["podAnnotations.a=b", '"annotations":{"a":"b"}'],
    ["extraEnv[0].name=A,extraEnv[0].value=b", '{"name":"A","value":"b"}'],
    ["metrics.enabled=true", '{"name":"METRICS_BIND_ADDRESS","value":":9811"}'],
    ["metrics.enabled=true,metrics.tlsSecret=t", '"secret":{"secretName":"t"}'],
    ["cniPlugins.names={macvlan,portmap},cniPlugins.image.repository=p", '"cni-plugins","macvlan","portmap"]'],
  ] as const)
    it(`applies the value ${value.replace(/0{64}/, "…")} to the agents`, async () => {
      const [with_, without] = [await renderAgent(value), await renderAgent()];
      assert.ok(with_.includes(expected), `${expected} is not in ${with_}`);
      assert.ok(!without.includes(expected), `${expected} is rendered by default`);
    });

  it("removes tolerations with an empty list", async () => {
    assert.ok((await renderAgent()).includes('"tolerations":[{"operator":"Exists"}]'));
    assert.doesNotMatch(await renderAgent("tolerations=null"), /tolerations/);
  });

  it("keeps pools and networks when the release is uninstalled", async () => {
    const objects = await render(
      "pools[0].name=a,pools[0].subnet=10.7.0.0/16,pools[0].ranges={10.7.200.0/24}",
      "networks[0].name=a,networks[0].pools={a}",
    );
    for (const kind of ["UnderlayPool", "UnderlayNetwork"])
      assert.equal(objects[`${kind} a`]?.metadata.annotations?.["helm.sh/resource-policy"], "keep");
    assert.deepEqual(objects["UnderlayPool a"]?.spec, { subnet: "10.7.0.0/16", ranges: ["10.7.200.0/24"] });
  });

  it("lets agents review tokens only if clients of the metrics need one", async () => {
    const hasReviews = async (...set: readonly string[]) =>
      JSON.stringify((await render(...set))["ClusterRole interlay-agent"]).includes("tokenreviews");
    assert.equal(await hasReviews(), false);
    assert.equal(await hasReviews("metrics.enabled=true"), true);
    assert.equal(await hasReviews("metrics.enabled=true", "metrics.authentication=none"), false);
  });

  it("renders monitoring objects, with the dashboard and the rules as in their files", async () => {
    const objects = await render(
      "metrics.enabled=true,metrics.podMonitor.enabled=true,metrics.dashboard.enabled=true",
      "metrics.prometheusRule.enabled=true,metrics.prometheusRule.poolFreePercent=25",
    );
    assert.ok(objects["PodMonitor interlay"] !== undefined && objects["Secret interlay-metrics-reader"] !== undefined);
    const dashboard = objects["ConfigMap interlay-dashboard"] as unknown as { data: Record<string, string> };
    assert.equal(dashboard.data["interlay.json"], readFileSync(join(CHART, "dashboards", "interlay.json"), "utf8"));
    const rules = JSON.stringify(objects["PrometheusRule interlay"]?.spec);
    assert.match(rules, /InterlayPoolFull.*\{\{ \$labels\.pool \}\}/);
    assert.match(rules, /< 25"/);
  });

  for (const type of ["thin", "thick"])
    it(`renders Multus (${type}) with the runtime's directories`, async () => {
      const objects = await render(`multus.type=${type},cniConfDir=/etc/conf,cniBinDir=/opt/bin`);
      const multus = JSON.stringify(objects["DaemonSet multus"]);
      for (const path of ["/etc/conf", "/opt/bin"]) assert.ok(multus.includes(`"path":"${path}"`), path);
      assert.match(multus, type === "thick" ? /v4\.2\.2-thick.*multus-daemon/ : /v4\.2\.2".*multus-conf-file=auto/);
      const definition = objects["CustomResourceDefinition network-attachment-definitions.k8s.cni.cncf.io"];
      assert.equal(definition?.metadata.annotations?.["helm.sh/resource-policy"], "keep");
    });

  it("renders a test client of each pod type that reaches each pod type and its Service", async () => {
    const objects = await render("test.image.repository=registry.example/probe");
    const clients = Object.values(objects).filter(({ kind }) => kind === "Pod");
    assert.equal(clients.length, 3);
    for (const client of clients) assert.equal(JSON.stringify(client).match(/(tcp|udp):\/\//g)?.length, 12);
    const annotations = clients.map(({ metadata }) => Object.keys(metadata.annotations ?? {}).join());
    assert.equal(annotations.filter((all) => /k8s\.v1\.cni\.cncf\.io\/networks/.test(all)).length, 1);
    assert.equal(annotations.filter((all) => /v1\.multus-cni\.io\/default-network/.test(all)).length, 1);
  });

  for (const [value, message] of [
    ["returnPath=notracked", /returnPath/],
    ["image.digest=sha256:1", /digest/],
    ["image=registry.example/interlay:1", /image/],
    ["image.pullPolicy=Sometimes", /pullPolicy/],
    ["healthPort=0", /healthPort/],
    ["cniBinDir=opt/cni/bin", /cniBinDir/],
    ["logLevel=trace", /logLevel/],
    ["multus.type=fat", /multus/],
    ["pools[0].name=a", /subnet/],
    ["metric.enabled=true", /metric/],
    ["metrics.authentication=basic", /authentication/],
    ["test.network=underlay", /network/],
  ] as const)
    it(`refuses the value ${value}`, async () => {
      assert.match(await refuse(IMAGE, value), message);
    });

  it("refuses an image without a repository, and a PodMonitor of metrics that are on the loopback only", async () => {
    assert.match(await refuse(), /image\.repository: name the repository/);
    assert.match(await refuse(IMAGE, "metrics.podMonitor.enabled=true"), /needs metrics\.enabled/);
  });
});
