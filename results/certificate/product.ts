import { z } from "zod";

/** Values of `type`: those of CNCF's k8s-conformance, and a network plugin. */
const PRODUCT_TYPES = ["distribution", "hosted platform", "installer", "network plugin"] as const;

const url = z.url({ protocol: /^https?$/ });

/** The certified product, as the vendor describes it, with the keys of PRODUCT.yaml in cncf/k8s-conformance. */
export const productSchema = z.strictObject({
  vendor: z.string().min(1),
  name: z.string().min(1),
  version: z.string().min(1),
  website_url: url.exactOptional(),
  /** Absent if the source code is not public. */
  repo_url: url.exactOptional(),
  documentation_url: url.exactOptional(),
  product_logo_url: url.exactOptional(),
  type: z.enum(PRODUCT_TYPES).exactOptional(),
  description: z.string().min(1).exactOptional(),
  contact_email_address: z.email().exactOptional(),
});
export type Product = z.infer<typeof productSchema>;
