// Fetches what an entry of the list holds: its information, then, for documents, its bytes.
import type { Entry } from "./catalogue.ts";

/** What `nora info --json` prints; `kind` says which of the keys are there. */
export type EntryInfo = Record<string, unknown> & { kind: string; format?: string; mediaType?: string; pages?: number };

async function problemOf(answer: Response): Promise<Error> {
  try {
    const { detail } = (await answer.json()) as { detail?: unknown };
    if (typeof detail === "string") return new Error(detail);
  } catch {
    // not a problem of the server's own making
  }
  return new Error(`the server answered ${answer.status}`);
}

async function ask(entry: Entry, what: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(`api/v1/entries/${encodeURIComponent(entry.id)}/${what}`, { cache: "no-store", signal });
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export async function fetchInfo(entry: Entry, signal: AbortSignal): Promise<EntryInfo> {
  return (await (await ask(entry, "info", signal)).json()) as EntryInfo;
}

/** `page` counts from 1. */
export async function fetchContent(entry: Entry, page: number, signal: AbortSignal): Promise<Blob> {
  return (await ask(entry, `content?page=${page}`, signal)).blob();
}
