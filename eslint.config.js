import tseslint from "typescript-eslint";
import interlay from "./scripts/lint/plugin.js";

/** Imports point one way (docs/architecture.md): scripts -> e2e -> clusters -> plugin/deploy; results is read by scripts and e2e alone. */
const forbid = (files, ...rooms) => ({
  files: files.map((f) => `${f}/**/*.ts`),
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: rooms.map((r) => ({
          regex: `^(\\.\\./)+${r}/`,
          message: `imports point one way: ${files} must not import ${r}`,
        })),
      },
    ],
  },
});

/** Trees that use the plugin and that it must not know. */
const OTHER_TREES = ["clusters", "e2e", "scripts", "results"];

/** Folders of plugin/ but `errors`, which imports none. */
const PLUGIN_FOLDERS =
  "netlink datapath state kubernetes cni ipam agent controller trace doctor cli deploy testing".split(" ");
const allExcept = (...allowed) => PLUGIN_FOLDERS.filter((folder) => !allowed.includes(folder));

/** Folders of plugin/ -> folders next to them that they must not import: cli -> doctor, controller -> agent -> trace, ipam, cni -> datapath -> netlink. */
const NOT_IMPORTED = {
  errors: allExcept(),
  netlink: allExcept("netlink"),
  datapath: allExcept("netlink", "datapath", "testing"),
  state: allExcept("netlink", "datapath", "state", "testing"),
  kubernetes: allExcept("kubernetes", "testing"),
  cni: ["kubernetes", "ipam", "agent", "controller", "trace", "doctor", "cli"],
  ipam: ["agent", "controller", "trace", "doctor", "cli", "deploy"],
  agent: ["controller", "doctor", "cli", "deploy"],
  controller: ["trace", "doctor", "cli", "deploy"],
  trace: allExcept("netlink", "datapath", "trace", "testing"),
  doctor: ["controller", "cli", "deploy"],
  // The CRDs are generated from schemas of kubernetes.
  deploy: allExcept("kubernetes", "trace", "deploy"),
};

/** Folders that clusters/ and e2e/ must not import. */
const ABOVE_CLUSTERS = ["e2e", "scripts", "results", "plugin/(cni|datapath|ipam|agent|controller)"];
const ABOVE_E2E = ["scripts", "plugin/(cni|datapath|ipam|agent|controller)"];

/** Folders of clusters/ and e2e/ from the bottom to the top: a folder must not import those after it. */
const CLUSTER_FOLDERS =
  "spec progress host components docker images environments provider kubernetes addons external kind lab existing".split(
    " ",
  );
const E2E_FOLDERS = "probe pods cells support deployment agent evidence doctor matrix specs".split(" ");

/** Forbids imports of `above`, and of the folders that come later in the list. */
const forbidUpwards = (tree, folders, above) =>
  folders.map((folder, index) => forbid([`${tree}/${folder}`], ...above, ...folders.slice(index + 1)));

export default tseslint.config(
  { ignores: ["**/dist/**", "results/runs/**", "node_modules/**", "docs/.vitepress/**"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js", "scripts/lint/*.js", "scripts/interlay/bin.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    plugins: { interlay },
    rules: { "interlay/no-banned-words": "error", "interlay/verb-noun-function": "error" },
  },
  { files: ["**/*.test.ts", "**/*.e2e.ts"], rules: { "@typescript-eslint/no-unused-expressions": "off" } },
  {
    // The API client's classes are types for us: objects go over the wire as JSON.
    files: [
      "clusters/lab/fake-kubelet/**/*.ts",
      "clusters/existing/*.ts",
      "clusters/kubernetes/*.ts",
      "e2e/agent/*.ts",
    ],
    rules: { "@typescript-eslint/no-unsafe-class-instance-assignment": "off" },
  },
  {
    files: ["eslint.config.js", "scripts/lint/*.js", "scripts/interlay/bin.js"],
    ...tseslint.configs.disableTypeChecked,
  },
  forbid(["plugin"], ...OTHER_TREES),
  ...Object.entries(NOT_IMPORTED).map(([folder, names]) =>
    forbid([`plugin/${folder}`], ...OTHER_TREES, `(?:${names.join("|")})`),
  ),
  forbid(["clusters"], ...ABOVE_CLUSTERS),
  ...forbidUpwards("clusters", CLUSTER_FOLDERS, ABOVE_CLUSTERS),
  forbid(["e2e"], ...ABOVE_E2E),
  ...forbidUpwards("e2e", E2E_FOLDERS, ABOVE_E2E),
  {
    // These benchmarks measure parts of the agent and the allocator, so they import them.
    ...forbid(["e2e/bench"], "scripts"),
    files: [
      "e2e/bench/agent/{fan-out,repair-process,simulated-agents,simulated-objects,summarize-pools-process}.ts",
      "e2e/bench/ipam/{full-cluster,nodes}.ts",
    ],
  },
  forbid(["results"], "clusters", "e2e", "scripts", "plugin"),
);
