// Rights and times as people read them.

export const rights = ["read", "annotate", "edit", "process", "download", "see-identity", "administer"];

export const rightTexts: Record<string, string> = {
  read: "look at images, tables and metadata",
  annotate: "set tags, and keep what is drawn and measured",
  edit: "change metadata and names, add and replace files",
  process: "start processing",
  download: "take files away",
  "see-identity": "see who the subjects are, where that is hidden",
  administer: "give rights, change the project; brings all others",
};

const pad = (n: number): string => String(n).padStart(2, "0");

/** Of this place, to the minute; "" of none. */
export function timeOf(iso: string | null | undefined): string {
  const time = new Date(iso ?? "");
  if (Number.isNaN(time.getTime())) return "";
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

export const dayOf = (iso: string | null | undefined): string => timeOf(iso).slice(0, 10);
