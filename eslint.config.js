import tseslint from "typescript-eslint";

/** DESIGN: scripts -> e2e -> clusters -> plugin/deploy; results is read by scripts and e2e alone. */
const forbid = (files, ...rooms) => ({
  files: files.map((f) => `${f}/**/*.ts`),
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: rooms.map((r) => ({
          regex: `^(\\.\\./)+${r}/`,
          message: `imports point one way: ${files} may not know ${r}`,
        })),
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ["**/dist/**", "results/runs/**", "node_modules/**"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ["**/*.test.ts", "**/*.e2e.ts"], rules: { "@typescript-eslint/no-unused-expressions": "off" } },
  {
    // The API client's classes are types for us: objects go over the wire as JSON.
    files: ["clusters/lab/runner/*.ts", "clusters/existing/*.ts", "clusters/kubernetes/*.ts"],
    rules: { "@typescript-eslint/no-unsafe-class-instance-assignment": "off" },
  },
  { files: ["eslint.config.js"], ...tseslint.configs.disableTypeChecked },
  forbid(["plugin"], "clusters", "e2e", "scripts", "results"),
  forbid(["clusters"], "e2e", "scripts", "results", "plugin/(cni|datapath|ipam|agent)"),
  forbid(["e2e"], "scripts", "plugin/(cni|datapath|ipam|agent)"),
  forbid(["results"], "clusters", "e2e", "scripts", "plugin"),
);
