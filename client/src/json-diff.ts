// What differs between two JSON values, key by key.

export interface Difference {
  path: string; // "scan.tr", "list.2"
  before: unknown; // undefined: was not there
  after: unknown; // undefined: is not there any more
}

const isGroup = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Equal but for the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (!isGroup(a) || !isGroup(b)) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]));
}

export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (sameJson(before, after)) return [];
  const bothGroups = isGroup(before) && isGroup(after) && Array.isArray(before) === Array.isArray(after);
  if (!bothGroups) return [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`));
}
