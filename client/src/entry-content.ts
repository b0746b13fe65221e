// Fetches what an entry of the list holds: its information, then, for documents, its bytes.
import { request } from "./api.ts";
import type { Entry } from "./rows.ts";

/** What `nora info --json` prints; `kind` says which of the keys are there. */
export type EntryInfo = Record<string, unknown> & { kind: string; format?: string; mediaType?: string; pages?: number };

export async function fetchInfo(entry: Entry, signal: AbortSignal): Promise<EntryInfo> {
  return (await (await request("GET", `files/${entry.id}/info`, { signal })).json()) as EntryInfo;
}

/** `page` counts from 1. */
export async function fetchContent(entry: Entry, page: number, signal: AbortSignal): Promise<Blob> {
  return (await request("GET", `files/${entry.id}/document?page=${page}`, { signal })).blob();
}
