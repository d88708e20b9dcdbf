// Which element of the page shows which row. Rows that answer another question (an order, a filter) take over the elements that
// are there, place by place, which costs a fraction of making new ones. All else keeps to its own element: what has the focus
// stays the same row while rows come and go.

/// Keys of elements by row, in the order of the rows; `of` is the question that they answer.
export interface Slots { of: string | undefined; keys: Map<string, number>; next: number }

export const kNoSlots: Slots = { of: undefined, keys: new Map(), next: 0 };

/// The keys of `rows`, those in view, which answer the question `of`, after `before`.
export function slots_of(before: Slots, rows: string[], of: string | undefined): Slots {
  let { next } = before;
  const places = before.of === of ? null : [...before.keys.values()];
  const key_of = (row: string, place: number) => (places ? places[place] : before.keys.get(row)) ?? next++;
  return { of, keys: new Map(rows.map((row, place) => [row, key_of(row, place)])), next };
}
