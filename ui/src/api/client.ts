// The one way to the server. An answer that is not a success becomes an ApiError whose message is the server's own
// sentence; pages show it as it is.
import { prefixed, unprefixed } from "../app/prefix";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown>,
    readonly request: string,
  ) {
    super(message);
  }
}

/// The project of this page: the prefix /projects/<name> of its URL, else `default`.
export function project(): string {
  const match = /^\/projects\/([^/]+)/.exec(unprefixed(location.pathname));
  return match?.[1] ? decodeURIComponent(match[1]) : "default";
}

async function refused(response: Response, request: string): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; details?: Record<string, unknown> } };
    return new ApiError(response.status, error.code, error.message, error.details ?? {}, request);
  } catch {
    const sentence = text.trim().length > 0 && text.length < 400 ? text.trim() : `The server answered ${response.status} without a reason.`;
    return new ApiError(response.status, "unknown", sentence, {}, request);
  }
}

export interface Ask {
  method?: string;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export async function ask(path: string, { method = "GET", json, body, headers = {}, signal }: Ask = {}): Promise<Response> {
  const request = `${method} ${path}`;
  const all: Record<string, string> = { Accept: "application/json", "X-Slipway-Project": project(), ...headers };
  if (json !== undefined) all["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(prefixed(path), {
      method,
      headers: all,
      body: json !== undefined ? JSON.stringify(json) : (body ?? null),
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "unreachable", "The server does not answer. Is it running? Start it with `slipway server`.", {}, request);
  }
  if (!response.ok) throw await refused(response, request);
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, { signal })).json()) as T;
}

export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, json?: unknown): Promise<T> {
  // Creates carry a key, so that a request repeated after a lost answer makes one thing and not two.
  const headers: Record<string, string> = method === "POST" ? { "Idempotency-Key": randomKey() } : {};
  const response = await ask(path, { method, headers, ...(json !== undefined ? { json } : {}) });
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as T;
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Query = Record<string, string | number | boolean | string[] | null | undefined>;

/// `url("/api/v1/runs", {filter, page_size: 100})`; what is null, undefined or "" is left out, arrays repeat their key.
export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

export const part = encodeURIComponent;
/// A path with slashes inside, each of its parts encoded.
export const parts = (path: string) => path.split("/").map(encodeURIComponent).join("/");
/// The same path of the API as an address for links and pictures, which cannot name their project in a header.
export const address = (path: string) => prefixed(project() === "default" ? path : `/projects/${part(project())}${path}`);
export const blob = (hash: string) => address(`/api/v1/blobs/${part(hash)}`);
