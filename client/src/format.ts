// Numbers and sizes as people read them.

const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 6, useGrouping: false });
const grouped = new Intl.NumberFormat("en");

/** At most six significant digits; very small and very large values with a power of ten. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  return significant.format(value).replace("-", "−");
}

export function formatMm(mm: readonly number[]): string {
  return mm.map((v) => (Object.is(Math.round(v * 10), -0) ? 0 : v).toFixed(1).replace("-", "−")).join(", ");
}

export const formatCount = (n: number): string => grouped.format(n);

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}
