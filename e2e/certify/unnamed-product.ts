import type { Product } from "../../results/certificate/product.ts";
import type { Report } from "../../results/schema.ts";

/** Describes the cluster of a run if the vendor named no product. */
export function describeUnnamedProduct({ provider, versions }: Pick<Report, "provider" | "versions">): Product {
  const { kubernetes } = versions;
  return {
    vendor: "unnamed (no --product)",
    name: `cluster of provider ${provider}`,
    version: kubernetes === undefined ? "unknown" : `Kubernetes ${kubernetes}`,
  };
}
