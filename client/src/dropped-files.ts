// Files that were dropped on the page or chosen, with the folders that they lie in.

export interface Dropped {
  file: File;
  path: string; // with its folders, "/" between
}

/** True if the pointer brings files from outside of the page. */
export const bringsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const out: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return out; // a reader tells a hundred at a time
    out.push(...some);
  }
}

async function collect(entry: FileSystemEntry, out: Dropped[]): Promise<void> {
  if (entry.isDirectory) {
    for (const inside of await entriesOf(entry as FileSystemDirectoryEntry)) await collect(inside, out);
    return;
  }
  const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
  out.push({ file, path: entry.fullPath.replace(/^\//, "") });
}

/** All files of a drop, those of its folders too. Called within the event: later they are gone. Throws where one cannot be read. */
export async function droppedFiles(data: DataTransfer): Promise<Dropped[]> {
  const out: Dropped[] = [];
  const entries = [...data.items].flatMap((item) => (item.kind === "file" ? [{ entry: item.webkitGetAsEntry(), file: item.getAsFile() }] : []));
  for (const { entry, file } of entries) {
    if (entry) await collect(entry, out);
    else if (file) out.push({ file, path: file.name });
  }
  return out;
}

export const chosenFiles = (files: FileList): Dropped[] => [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

const isHidden = ({ path }: Dropped): boolean => path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX" || part === "Thumbs.db");

/** What a server takes, and what is left out. */
export function sorted(files: Dropped[]): { taken: Dropped[]; hidden: number; empty: number } {
  const seen = files.filter((one) => !isHidden(one));
  const taken = seen.filter(({ file }) => file.size > 0);
  return { taken, hidden: files.length - seen.length, empty: seen.length - taken.length };
}
