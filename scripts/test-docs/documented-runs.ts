/** A command that test:docs runs, and the lines of the documentation that it covers. */
interface DocumentedRun {
  readonly run: string;
  readonly shows: readonly string[];
}

const PLAY = "/root/.cache/interlay/labs/play/kubeconfig";
const createSuiteRun = (name: string): DocumentedRun => ({
  run: `npm run e2e -- --provider lab --name play --keep --suite ${name}`,
  shows: [`npm run e2e -- --provider lab --suite ${name}`],
});
const product = ["vendor: Example", "name: example", "version: v0.0.1"].join("\\n");

/**
 * The documented commands in an order in which one person can run them in one lab, with values for placeholders (FILE, ID,
 * RUN). Each is a line of bash, for the checkout in the new root.
 */
export const DOCUMENTED_RUNS: readonly DocumentedRun[] = [
  { run: "npm run build", shows: ["npm run build"] },
  { run: "npm run generate", shows: ["npm run generate"] },
  { run: "npm run check", shows: ["npm run check"] },
  { run: "npm run test:unit", shows: ["npm run test:unit"] },
  { run: "npm run test:cli", shows: ["npm run test:cli"] },
  { run: "npm run test:netns", shows: ["npm run test:netns"] },
  { run: "npm run nightly -- --plan sweep --dry-run", shows: ["npm run nightly -- --plan sweep --dry-run"] },
  { run: "npm run environments", shows: ["npm run environments"] },
  { run: "npm run nightly -- --dry-run", shows: ["npm run nightly -- --dry-run"] },
  {
    run: "npm run up -- --provider lab --name play",
    shows: ["npm run up -- --provider lab --name play", "npm run up"],
  },
  {
    run: "npm run e2e -- --provider lab --name play --keep",
    shows: ["npm run e2e -- --provider lab --name play --keep", "npm run e2e -- --provider lab"],
  },
  {
    run: "npm run e2e -- --provider lab --name play --kube-proxy v1.29.15 --return-path notrack --evidence all --keep --cells '^matrix/'",
    shows: [
      "npm run e2e -- --provider lab --kube-proxy v1.29.15 --return-path notrack --evidence all --keep --cells '^matrix/…$'",
    ],
  },
  { run: `npm run doctor -- --kubeconfig ${PLAY}`, shows: ["npm run doctor -- --kubeconfig FILE", "npm run doctor"] },
  {
    run: "npm run trace -- --provider lab --name play interlay-e2e/overlay-1-a interlay-e2e/overlay-2-b:8080",
    shows: [
      "npm run trace -- --provider lab --name play interlay-e2e/overlay-1-a interlay-e2e/overlay-2-b:8080",
      "npm run trace",
    ],
  },
  {
    run: `npm run e2e -- --provider existing --kubeconfig ${PLAY}`,
    shows: ["npm run e2e -- --provider existing --kubeconfig FILE"],
  },
  {
    run: `printf '${product}' > product.yaml && npm run certify -- --provider existing --kubeconfig ${PLAY} --yes --product product.yaml --repeat 1`,
    shows: ["npm run certify -- --provider existing --kubeconfig FILE --yes --product product.yaml"],
  },
  {
    run: `npm run sysdump -- --kubeconfig ${PLAY} --file sysdump.tar.gz`,
    shows: ["npm run sysdump -- --kubeconfig FILE", "npm run sysdump"],
  },
  { run: "npm run doctor -- --probe --provider lab --name play", shows: ["npm run doctor -- --probe --provider lab"] },
  { run: `npm run ipam -- --kubeconfig ${PLAY} show`, shows: ["npm run ipam -- show"] },
  { run: `npm run ipam -- --kubeconfig ${PLAY} check`, shows: ["npm run ipam -- check"] },
  ...["evidence", "validation", "rbac", "security"].map(createSuiteRun),
  {
    run: "set -- $(ls results/runs | head -2) && (npm run report -- --compare $1 $2 || test $? = 1)",
    shows: ["npm run report -- --compare RUN OTHER"],
  },
  { run: "npm run report -- --history", shows: ["npm run report -- --history"] },
  {
    run: `npm run uninstall -- --kubeconfig ${PLAY} --force`, // pods still run in the kept lab
    shows: ["npm run uninstall"],
  },
  { run: "npm run down -- --provider lab --name play", shows: ["npm run down"] },
  { run: "npm run certify -- --new-key vendor.key", shows: ["npm run certify -- --new-key vendor.key"] },
  {
    run: `printf '${product}' > product.yaml && npm run certify -- --provider lab --product product.yaml --key vendor.key --repeat 2`,
    shows: ["npm run certify -- --provider lab --product product.yaml --key vendor.key", "npm run certify"],
  },
  {
    run: "npm run certify -- --verify results/certificates/* --public-key vendor.key.pub",
    shows: [
      "npm run certify -- --verify results/certificates/ID --public-key vendor.key.pub",
      "npm run certify -- --verify DIRECTORY",
    ],
  },
  {
    run: "npm run certify -- --page results/certificates",
    shows: ["npm run certify -- --page DIRECTORY"],
  },
];

const BY_TEST = "is a stage of npm test";
const ON_KIND = "needs kind: CI runs it, and so does npm run test:docs -- --provider kind";
const RECORDED = "its recorded run is in results/";

/** Documented lines that test:docs does not run, each with the reason. */
export const NOT_RUN: readonly (readonly [line: string, why: string])[] = [
  ["npm test", "is CI's own command (.ci/run)"],
  ["npm run e2e", ON_KIND],
  ["npm run e2e -- --kube-proxy v1.28.15,v1.29.15 --return-path liberal,notrack --keep", ON_KIND],
  [
    "npm run e2e -- --provider lab --suite agent,discovery,return-path,agent-cluster,doctor,rbac",
    "is a stage of npm test",
  ],
  ["npm run e2e -- --kubernetes v1.34.1 --kube-proxy v1.34.1", ON_KIND],
  ["npm run e2e -- --provider lab --environment all", "takes half an hour; npm run nightly runs it"],
  ["npm run environments -- --write", "writes the page of the run of all environments"],
  ["npm run e2e -- --provider lab --suite ipam", BY_TEST],
  ["npm run e2e -- --provider lab --suite quick-start", BY_TEST],
  ["npm run e2e -- --provider lab --suite documented-install", BY_TEST],
  ["npm run ipam -- check --repair", "changes the addresses of the cluster; plugin/ipam/inspect has its tests"],
  ["npm run ipam -- release 10.7.200.7", "the suite ipam runs it"],
  ["npm run ipam -- history 10.7.200.7", "an address of the example; plugin/ipam/inspect has its tests"],
  ["npm run down -- --all", "stops a Docker daemon that other runs may use"],
  ["npm run bench -- agent", RECORDED],
  ["npm run e2e -- --family dual", ON_KIND],
  ["npm run e2e -- --suite parity", ON_KIND],
  ["npm run peers", ON_KIND],
  ["npm run peers -- cyclonus", ON_KIND],
  ["npm run peers -- --pods underlay --keep", ON_KIND],
  ["npm run peers -- --focus 'Services should serve a basic endpoint'", ON_KIND],
  [String.raw`npm run peers -- --focus '\[sig-network\]'`, ON_KIND],
  ["npm run certify -- --product product.yaml --key vendor.key", ON_KIND],
  ["npm run build -- --images", ON_KIND],
  ["npm run build -- --images --suite", ON_KIND],
  ["npm run e2e -- --suite client-network", ON_KIND],
  ["npm run e2e -- --suite in-cluster", ON_KIND],
  ["npm run in-cluster", ON_KIND],
  ["npm run in-cluster -- --kubeconfig FILE", ON_KIND],
  ["npm run in-cluster -- --kubeconfig FILE --watch", ON_KIND],
  ["npm run in-cluster -- --kubeconfig FILE --suite-image REF --image REF", "needs a registry"],
  ["npm run in-cluster -- --print sonobuoy > plugin.yaml", ON_KIND],
  ["npm run e2e -- --provider lab --suite plugin", BY_TEST],
  ["npm run e2e -- --provider lab --suite install", BY_TEST],
  [
    "npm run e2e -- --provider lab --suite lab-isolation",
    "creates and deletes labs of its own; clusters/lab has its tests",
  ],
  ["npm run e2e -- --provider lab --suite existing-cluster", "needs a lab of its own for each of its runs"],
  ["npm run e2e -- --provider existing --kubeconfig FILE --yes", "the suite existing-cluster runs it"],
  ["npm run down -- --provider existing --kubeconfig FILE", "the suite existing-cluster runs it"],
  ["npm run mutants", RECORDED],
  ["npm run mutants:harness", RECORDED],
  ["npm run chaos -- --seed 1 --minutes 2", RECORDED],
  ["npm run bench -- cni", RECORDED],
  ["npm run bench -- ipam", RECORDED],
  ["npm run bench -- evidence", RECORDED],
  ["npm run bench -- scale", RECORDED],
  ["npm run bench -- net", RECORDED],
  ["npm run bench -- trace", RECORDED],
  ["npm run test:docs", "is the command that runs the others"],
  ["npm run test:docs -- --job ci.yml/check", "is the command that runs the others"],
  [
    "npm run test:docs -- --job nightly.yml/matrix --value needs.plan.outputs.night=2026-01-01 --value matrix.job.name=lab --value 'matrix.job.args=--provider lab'",
    "is the command that runs the others",
  ],
  [
    "npm run mutants -- --kubernetes v1.31.4 --kube-proxy v1.28.15,v1.29.15,v1.31.4,v1.31.4/nftables",
    "its recorded run is results/data/mutants.json",
  ],
  ["npm run e2e -- --provider lab --suite rerun", "runs twenty commands that take as long as the matrix"],
  [
    "npm run e2e -- --provider lab --suite foreign-solutions",
    "uninstalls Interlay in its lab, then runs the matrix twice",
  ],
  ["npm run nightly -- --plan sweep", "docs/sweep.md has its results"],
  ["npm run e2e -- --provider lab --suite trace", "docs/trace.md has its results"],
  ["npm run docs", "is a job of CI"],
  ["npm run build -- --cli", "scripts/build has its test"],
  ["npm run kit", "creates an archive of gigabytes; docs/kit.md describes a run"],
  ["npm run kit -- --lab", "as npm run kit"],
  ["npm run kit -- --verify lab", "as npm run kit"],
  ["npm run e2e -- --provider lab --watch", "runs until it is interrupted"],
  ["npm run e2e -- --provider lab --keep --watch", "runs until it is interrupted"],
  ["npm run report -- ./runs/1", "uses directories of a certificate's recipient"],
  ["npm run report -- --screenshots DIRECTORY", "needs a browser, which the README does not require"],
];
