// Fetches what is new in the catalogue, page by page, when the server says that its revision grew.
import type { Catalogue, Entry } from "./catalogue.ts";

interface CataloguePage {
  revision: number;
  more: boolean;
  scanning: boolean;
  root?: string;
  counts?: { files?: number; entries?: number; problems?: number };
  entries: Entry[];
}

const entriesPerPage = 1000;
const retryMs = 2000;

export class CatalogueFeed {
  revision = 0;
  scanning = true;
  files = 0;
  root = "";
  failed = "";
  private fetching = false;
  private again = false;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly changed: () => void,
  ) {}

  /** News from the socket. */
  announce(revision: number, scanning: boolean, files: number): void {
    this.scanning = scanning;
    this.files = files;
    this.changed();
    if (revision !== this.revision) void this.refresh();
  }

  /** After a connection came back; another server counts its revisions anew. */
  restart(isAnother: boolean): void {
    if (isAnother) {
      this.catalogue.clear();
      this.revision = 0;
    }
    void this.refresh();
  }

  async refresh(): Promise<void> {
    this.again = true;
    if (this.fetching) return;
    this.fetching = true;
    try {
      while (this.again) {
        this.again = false;
        await this.fetchAll();
      }
      this.failed = "";
    } catch (error) {
      this.failed = `The list of files could not be fetched: ${error instanceof Error ? error.message : String(error)}`;
      window.setTimeout(() => void this.refresh(), retryMs);
    } finally {
      this.fetching = false;
      this.changed();
    }
  }

  private async fetchAll(): Promise<void> {
    for (let more = true; more; ) {
      const url = `api/v1/catalogue?after=${this.revision}&limit=${entriesPerPage}`;
      const answer = await fetch(url, { cache: "no-store" });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const page = (await answer.json()) as CataloguePage;
      this.catalogue.merge(page.entries);
      more = page.more && page.revision > this.revision;
      this.revision = page.revision;
      this.scanning = page.scanning;
      this.files = page.counts?.files ?? this.files;
      this.root = page.root ?? this.root;
      this.changed();
    }
  }
}
