import { createHash } from "node:crypto";
import { z } from "zod";
import type { KubeClient } from "../../kubernetes/kube-client.ts";

/** Result of the authorization of a client that reads the metrics. */
export type ScrapeVerdict = "allowed" | "unauthenticated" | "forbidden";

const REVIEWS = {
  token: { api: "/apis/authentication.k8s.io/v1", plural: "tokenreviews" },
  access: { api: "/apis/authorization.k8s.io/v1", plural: "subjectaccessreviews" },
} as const;
/** Lifetime of a cached verdict in milliseconds: Prometheus sends the same token every few seconds. */
const VERDICT_MS = 60_000;
const MAX_VERDICTS = 100;

const tokenReview = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z
      .object({
        username: z.string().default(""),
        uid: z.string().optional(),
        groups: z.array(z.string()).default([]),
        extra: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
  }),
});
const accessReview = z.object({ status: z.object({ allowed: z.boolean().default(false) }) });

/**
 * Decides who may read the metrics, as the API server itself decides for its own: a TokenReview for the bearer token, and a
 * SubjectAccessReview for `get` of the non-resource URL /metrics.
 */
export class ScrapeAuthorizer {
  readonly #kube: Pick<KubeClient, "create">;
  readonly #verdicts = new Map<string, { readonly verdict: ScrapeVerdict; readonly until: number }>();

  constructor(kube: Pick<KubeClient, "create">) {
    this.#kube = kube;
  }

  /**
   * Authorizes a request.
   * @param authorization the request's header `Authorization`
   * @param now current time in milliseconds
   * @throws if the API server does not answer
   */
  async authorize(authorization: string | undefined, now = Date.now()): Promise<ScrapeVerdict> {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return "unauthenticated";
    const key = createHash("sha256").update(token).digest("base64");
    const cached = this.#verdicts.get(key);
    if (cached !== undefined && now < cached.until) return cached.verdict;
    const verdict = await this.#review(token);
    this.#verdicts.delete(key);
    this.#verdicts.set(key, { verdict, until: now + VERDICT_MS });
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > MAX_VERDICTS && oldest !== undefined) this.#verdicts.delete(oldest);
    return verdict;
  }

  async #review(token: string): Promise<ScrapeVerdict> {
    const { status } = tokenReview.parse(
      await this.#kube.create(REVIEWS.token, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token },
      }),
    );
    if (!status.authenticated || status.user === undefined) return "unauthenticated";
    const { username, ...user } = status.user;
    const access = accessReview.parse(
      await this.#kube.create(REVIEWS.access, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: { user: username, ...user, nonResourceAttributes: { path: "/metrics", verb: "get" } },
      }),
    );
    return access.status.allowed ? "allowed" : "forbidden";
  }
}
