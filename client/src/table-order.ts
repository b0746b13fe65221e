// In which order the rows of a table stand once it is sorted by a column.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export const numberOf = (text: string | undefined): number => {
  const trimmed = (text ?? "").trim();
  return trimmed === "" ? NaN : Number(trimmed);
};

/** Row numbers in the order of a column: numbers by value, then texts as people sort them, then nothing. */
export function sortedOrder(rows: string[][], column: number, descending: boolean): number[] {
  const keys = rows.map((row) => ({ text: row[column] ?? "", number: numberOf(row[column]) }));
  const rank = (key: { text: string; number: number }): number => (!Number.isNaN(key.number) ? 0 : key.text.trim() === "" || key.text === "n/a" ? 2 : 1);
  const ranks = keys.map(rank);
  const sign = descending ? -1 : 1;
  return rows
    .map((_, i) => i)
    .sort((a, b) => {
      const byRank = ranks[a]! - ranks[b]!;
      if (byRank !== 0) return byRank;
      if (ranks[a] === 2) return a - b;
      const by = ranks[a] === 0 ? keys[a]!.number - keys[b]!.number : collator.compare(keys[a]!.text, keys[b]!.text);
      return sign * by || a - b;
    });
}
