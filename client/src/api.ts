// Asks the server's HTTP API (docs/openapi.yaml). Every refusal becomes a Problem whose message says what to do.

/** What the server, or the way to it, had against a request. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: there was no answer
    readonly code = "",
    readonly field = "",
    readonly column = 0, // in a search, from 1; 0: not told
    readonly retrySeconds = 0,
  ) {
    super(message);
  }
}

export interface Question {
  body?: unknown;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
}

const texts: Record<number, string> = {
  401: "Your log-in has ended: log in again.",
  403: "You do not have the right to do this: ask an administrator of the project.",
  404: "It is not there any more, or you may not see it.",
  409: "Somebody else has changed it at the same time: load the page again.",
  412: "Somebody else has changed it in the meantime.",
  413: "It is too large for the server.",
  429: "Too many attempts: wait a little.",
  503: "The server is busy: try again in a moment.",
};

let csrf = "";
let loggedOut = (): void => undefined;

/** Of the session's cookie; sent with everything that changes something. */
export function setCsrf(value: string | null): void {
  csrf = value ?? "";
}

/** What a form has to say instead of the header. */
export const csrfValue = (): string => csrf;

/** Called when the server wants a log-in. */
export function onLoggedOut(listener: () => void): void {
  loggedOut = listener;
}

/** The secret of the link by which the page was opened; everything is asked for by it. */
const share = new URLSearchParams(location.search).get("share") ?? "";

export function apiUrl(path: string): string {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  if (share !== "") url.searchParams.set("share", share);
  return url.href;
}

/** "?a=1&b=x" of what is neither empty, 0, false nor missing; "" of nothing. */
export function queryOf(values: Record<string, string | number | boolean | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value) query.set(key, value === true ? "1" : String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

async function problemOf(answer: Response): Promise<Problem> {
  let said: Record<string, unknown> = {};
  try {
    said = (await answer.json()) as Record<string, unknown>;
  } catch {
    // not a problem of the server's own making
  }
  const text = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
  const known = texts[answer.status];
  const detail = text("detail") || text("title");
  const message = answer.status === 401 ? known! : detail || known || `The server answered ${answer.status}: try again.`;
  const column = Number(said["column"] ?? /\bcolumn (\d+)/.exec(detail)?.[1] ?? 0);
  const retry = Number(answer.headers.get("retry-after") ?? 0);
  return new Problem(message, answer.status, text("code"), text("field"), column, Number.isFinite(retry) ? retry : 0);
}

/** `body`: JSON, or raw if it is a Blob. Throws a Problem, or what the signal was aborted with. */
export async function request(method: string, path: string, { body, signal, headers = {} }: Question = {}): Promise<Response> {
  const all: Record<string, string> = { ...headers };
  if (method !== "GET" && csrf !== "") all["X-Nora-Csrf"] = csrf;
  if (body !== undefined && !(body instanceof Blob)) all["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(apiUrl(path), {
      method,
      headers: all,
      cache: "no-store",
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("The server does not answer: check the connection and try again.", 0);
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await problemOf(answer);
  if (problem.status === 401) loggedOut();
  throw problem;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request("GET", path, { signal })).json()) as T;
}

/** The answer's JSON; null where it has none. */
export async function sendJson<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await request(method, path, { body, headers });
  const text = await answer.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

export interface List<T> {
  items: T[];
  next: string | number | null;
}

/** All pages of a list, up to `most` items. */
export async function getAll<T>(path: string, most = 10_000): Promise<T[]> {
  const items: T[] = [];
  let next: string | number | null = null;
  do {
    const page: List<T> = await getJson(`${path}${next === null ? "" : `${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(next)}`}`);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < most);
  return items;
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
