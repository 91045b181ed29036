import type { Environment } from "../../spec/environment.ts";

export const FORWARD_DROP_DOCKER: Environment = {
  name: "forward-drop-docker",
  title: "FORWARD policy DROP, as Docker leaves it",
  realClusters: "nodes on which dockerd runs or ran",
  changes: "the policy of the FORWARD chain is DROP, with Docker's own chains before it",
  spec: {
    nodes: {
      iptables: [
        ["-N", "DOCKER-USER"],
        ["-A", "DOCKER-USER", "-j", "RETURN"],
        ["-N", "DOCKER-ISOLATION-STAGE-1"],
        ["-A", "DOCKER-ISOLATION-STAGE-1", "-j", "RETURN"],
        ["-A", "FORWARD", "-j", "DOCKER-USER"],
        ["-A", "FORWARD", "-j", "DOCKER-ISOLATION-STAGE-1"],
        ["-A", "FORWARD", "-o", "docker0", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
        ["-A", "FORWARD", "-i", "docker0", "!", "-o", "docker0", "-j", "ACCEPT"],
        ["-P", "FORWARD", "DROP"],
      ],
    },
  },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};
