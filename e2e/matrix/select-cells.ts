import type { Cluster } from "../../clusters/provider/provider.ts";
import { listSupportedCells, type ClusterCapabilities } from "../cells/supported-cells.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Cell } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { TestRun } from "../support/test-run.ts";

/** Cluster and pods of the running group, once its BeforeAll has run. */
export interface MatrixTarget {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
}

/** Returns the properties of a cluster that decide which cells can be probed. */
export function describeCapabilities({ options }: TestRun, { cluster, deployment }: MatrixTarget): ClusterCapabilities {
  const { nodeAccess } = cluster;
  return {
    ...(nodeAccess === undefined ? {} : { nodeAccess }),
    features: deployment.features,
    podTrafficKnown: deployment.settingsKnown,
    outside: deployment.external !== undefined,
    undecided: options.environment?.undecided,
  };
}

/** Returns every cell of a cluster of this size, whether or not it can be probed. */
export function listEveryCell({ workers, families, features }: Deployment): readonly Cell[] {
  return listMatrixCells(workers.length, families, features);
}

/** Returns the cells that can be probed in the cluster. */
export function listCells(run: TestRun, target: MatrixTarget): readonly Cell[] {
  return listSupportedCells(listEveryCell(target.deployment), describeCapabilities(run, target));
}

/** Returns the cells that --cells selects. */
export function listSelectedCells(run: TestRun, target: MatrixTarget): readonly Cell[] {
  return listCells(run, target).filter(({ id }) => run.options.cells.test(id));
}
