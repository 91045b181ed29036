import type { GoModule } from "./module.ts";

export const CALICO_VERSION = "v3.28.5";
/** The newest commit of Calico's v3.28 branch that the Go proxy has as a module version. */
const CALICO_MODULE_VERSION = "v1.11.0-cni-plugin.0.20250813170300-a0db560f0520";
const CALICO = "github.com/projectcalico/calico";
/** Variables that Calico's makefiles set; each command has `main.VERSION`. calico-node writes it to ClusterInformation. */
const CALICO_VERSION_VARIABLES = [
  "main.VERSION",
  `${CALICO}/node/pkg/lifecycle/startup.VERSION`,
  `${CALICO}/node/buildinfo.GitVersion`,
  `${CALICO}/felix/buildinfo.GitVersion`,
];

/** Describes a build of Calico's commands. @throws for another version than CALICO_VERSION */
export function createCalicoModule(version: string): GoModule {
  if (version !== CALICO_VERSION)
    throw new Error(`cannot build Calico ${version}: the Go proxy has only ${CALICO_VERSION} as a module version`);
  return {
    path: CALICO,
    version: CALICO_MODULE_VERSION,
    packages: ["node/cmd/calico-node", "cni-plugin/cmd/calico", "kube-controllers/cmd/kube-controllers"],
    variables: Object.fromEntries(CALICO_VERSION_VARIABLES.map((name) => [name, version])),
    replaces: "own",
    extraReplaces: {
      // The repository's copy (a directory) is not part of the module; this is its published version.
      "github.com/projectcalico/api": "github.com/projectcalico/api v0.0.0-20240708202104-e3f70b269c2c",
      "github.com/Microsoft/hcsshim": "github.com/Microsoft/hcsshim v0.11.7",
    },
  };
}
