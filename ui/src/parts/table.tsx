// The table every list is made of: only the rows in view exist, the head stays, columns are chosen, resized, sorted and
// pinned, and everything works from the keyboard. What the reader chose (columns, widths, pins) stays in the browser under the
// table's name; what should be sent to a colleague (order, filter) is the page's and lives in its URL.
import { getCoreRowModel, getSortedRowModel, useReactTable, type Column as Leaf, type ColumnDef, type ColumnSizingState, type SortingState, type VisibilityState } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useKeys } from "../app/keys";
import { navigate } from "../app/router";
import { Popover, Skeleton } from "./basics";
import { count } from "./format";
import css from "./table.module.css";

export interface Column<Row> {
  id: string;
  name: string;
  unit?: string;
  width?: number;
  /// Numbers stand to the right.
  right?: boolean;
  value?: (row: Row) => string | number | null | undefined;
  cell?: (row: Row) => ReactNode;
  sortable?: boolean;
  /// Not shown until chosen.
  hidden?: boolean;
  hint?: string;
}

export interface Sort { id: string; desc: boolean }

interface Props<Row> {
  name: string;
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  row_key: (row: Row) => string;
  row_url?: (row: Row) => string;
  open?: (row: Row) => void;
  /// The server sorts; otherwise the table does.
  sort?: Sort | null;
  on_sort?: (sort: Sort | null) => void;
  selected?: string[];
  on_select?: (keys: string[]) => void;
  total?: number | undefined;
  more?: boolean;
  load_more?: () => void;
  loading?: boolean;
  changing?: boolean;
  empty?: ReactNode;
  /// Its keys work although nothing in it has the focus: the one table that is the page.
  primary?: boolean;
  /// Chosen columns that come from the page (the server's columns); the table's own chooser is then the page's business.
  chosen?: string[];
  on_choose?: (columns: string[]) => void;
  height?: number;
  current?: string | undefined;
  /// What the rows are of (filter, order): when it changes the table begins at its top again.
  of?: string;
}

const kRow = 30;
const kOverscan = 12;
const scroll_positions = new Map<string, number>();

interface Kept { visible?: VisibilityState; sizes?: ColumnSizingState; pinned?: string[] }
function kept(name: string): Kept {
  try { return JSON.parse(localStorage.getItem(`slipway.table.${name}`) ?? "{}") as Kept; } catch { return {}; }
}

export function DataTable<Row>(props: Props<Row>) {
  const { name, rows, columns, row_key, row_url, open, sort, on_sort, selected, on_select, more, load_more, loading, changing, empty, primary } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [own_sort, set_own_sort] = useState<SortingState>(sort ? [sort] : []);
  const [visible, set_visible] = useState<VisibilityState>(() => kept(name).visible ?? {});
  const [sizes, set_sizes] = useState<ColumnSizingState>(() => kept(name).sizes ?? {});
  const [pinned, set_pinned] = useState<string[]>(() => kept(name).pinned ?? []);
  const [at, set_at] = useState<string | null>(null);

  useEffect(() => {
    try { localStorage.setItem(`slipway.table.${name}`, JSON.stringify({ visible, sizes, pinned })); } catch { /* private window */ }
  }, [name, visible, sizes, pinned]);

  const definitions = useMemo<ColumnDef<Row>[]>(
    () => columns.map((column) => ({
      id: column.id, header: column.name, size: column.width ?? 140, minSize: 48, maxSize: 900,
      accessorFn: (row) => column.value?.(row) ?? undefined,
      enableSorting: column.sortable !== false && !!column.value,
      sortUndefined: "last", sortDescFirst: column.right ?? false,
    })),
    [columns],
  );
  const by_id = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const visibility = useMemo(
    () => Object.fromEntries(columns.map(({ id: column, hidden }) => [column, props.chosen ? props.chosen.includes(column) : (visible[column] ?? !hidden)])),
    [columns, visible, props.chosen],
  );
  const sorting: SortingState = on_sort ? (sort ? [sort] : []) : own_sort;

  const table = useReactTable<Row>({
    data: rows, columns: definitions, getRowId: row_key,
    state: { sorting, columnVisibility: visibility, columnSizing: sizes, columnPinning: { left: pinned } },
    manualSorting: !!on_sort, columnResizeMode: "onChange",
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      if (on_sort) on_sort(next[0] ?? null); else set_own_sort(next);
    },
    onColumnSizingChange: set_sizes,
    getCoreRowModel: getCoreRowModel(), getSortedRowModel: getSortedRowModel(),
  });
  const lines = table.getRowModel().rows;
  const leaves = table.getVisibleLeafColumns();
  const width = table.getTotalSize() + (on_select ? 34 : 0);

  // Coming back to the list shows the same place again; the virtualizer begins there, too, or it would scroll to the top.
  const place = `${name} ${location.pathname}`;
  const virtual = useVirtualizer({
    initialOffset: () => scroll_positions.get(place) ?? 0, count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => kRow, overscan: kOverscan, initialRect: { width: 1000, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => { if (more && load_more && last >= lines.length - 40) load_more(); }, [more, load_more, last, lines.length]);

  const restored = useRef(false);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || restored.current || lines.length === 0) return;
    restored.current = true;
    element.scrollTop = scroll_positions.get(place) ?? 0;
  }, [lines.length, place]);

  // Rows that come above those in view do not push them away; another filter or order begins at the top.
  const top = useRef<{ id: string; rest: number } | null>(null);
  const was_of = useRef(props.of);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (was_of.current !== props.of) {
      was_of.current = props.of;
      top.current = null;
      element.scrollTop = 0;
    } else if (top.current && element.scrollTop > 0) {
      const { id: first, rest } = top.current;
      const now = lines.findIndex((line) => line.id === first);
      if (now >= 0 && Math.abs(now * kRow + rest - element.scrollTop) > 1) element.scrollTop = now * kRow + rest;
    }
  }, [lines, props.of]);
  const scrolled = (element: HTMLElement) => {
    scroll_positions.set(place, element.scrollTop);
    const first = lines[Math.floor(element.scrollTop / kRow)];
    top.current = first ? { id: first.id, rest: element.scrollTop % kRow } : null;
  };

  const index = lines.findIndex((line) => line.id === (props.current ?? at));
  const move = (step: number) => {
    const next = lines[Math.max(0, Math.min(lines.length - 1, index < 0 ? 0 : index + step))];
    if (!next) return;
    set_at(next.id);
    virtual.scrollToIndex(next.index >= 0 ? lines.indexOf(next) : 0);
    if (props.current !== undefined) open?.(next.original);
  };
  const open_line = (row: Row) => { if (open) open(row); else if (row_url) navigate(row_url(row)); };
  const toggle = (key: string) => on_select?.(selected?.includes(key) ? selected.filter((one) => one !== key) : [...(selected ?? []), key]);
  const anchor = useRef<string | null>(null);
  const select_to = (key: string) => {
    const from = lines.findIndex((line) => line.id === anchor.current);
    const to = lines.findIndex((line) => line.id === key);
    if (from < 0) return toggle(key);
    const span = lines.slice(Math.min(from, to), Math.max(from, to) + 1).map((line) => line.id);
    on_select?.([...new Set([...(selected ?? []), ...span])]);
  };

  useKeys(primary ? [
    { keys: "j", what: "Next row", run: () => move(1), group: "Table" },
    { keys: "k", what: "Previous row", run: () => move(-1), group: "Table" },
    ...(on_select ? [{ keys: "x", what: "Select the row", run: () => { if (lines[index]) toggle(lines[index].id); }, group: "Table" }] : []),
    ...(open || row_url ? [{ keys: "Enter", what: "Open the row", run: () => { if (lines[index]) open_line(lines[index].original); }, group: "Table" }] : []),
  ] : []);

  const left_of = (leaf: Leaf<Row>) => leaf.getStart("left") + (on_select ? 34 : 0);
  const cell_style = (leaf: Leaf<Row>) => ({ width: leaf.getSize(), ...(leaf.getIsPinned() ? { position: "sticky" as const, left: left_of(leaf), zIndex: 1 } : {}) });
  const all_selected = lines.length > 0 && lines.every((line) => selected?.includes(line.id));

  return (
    <div className={css.frame} style={props.height ? { height: props.height, flex: "none" } : undefined}>
      <div
        ref={scroller} className={`${css.scroller} ${changing ? css.changing : ""}`} role="grid" tabIndex={0} aria-label={props.label}
        aria-rowcount={(props.total ?? lines.length) + 1} aria-colcount={leaves.length} aria-busy={loading || changing}
        aria-activedescendant={index >= 0 && items.some((item) => item.index === index) ? `${id}-${index}` : undefined}
        onScroll={(event) => scrolled(event.currentTarget)}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key] ?? (primary ? 0 : { j: 1, k: -1 }[event.key] ?? 0);
          if (step) { event.preventDefault(); move(step); }
          if (event.key === "Enter" && event.target === event.currentTarget && lines[index] && (open || row_url)) { event.preventDefault(); open_line(lines[index].original); }
        }}
      >
        <div className={css.head} role="rowgroup" style={{ minWidth: width }}>
          <div role="row" aria-rowindex={1}>
            {on_select && (
              <div role="columnheader" className={css.check}>
                <input type="checkbox" aria-label="Select all rows shown" checked={all_selected} onChange={() => on_select(all_selected ? [] : lines.map((line) => line.id))} />
              </div>
            )}
            {table.getFlatHeaders().map((header) => {
              const column = by_id.get(header.column.id)!;
              const order = header.column.getIsSorted();
              const name_of = <>{column.name}{column.unit && <span className={css.unit}> {column.unit}</span>}</>;
              return (
                <div
                  key={header.id} role="columnheader" className={`${css.cell} ${column.right ? css.right : ""}`} style={cell_style(header.column)}
                  aria-sort={order === "asc" ? "ascending" : order === "desc" ? "descending" : undefined} title={column.hint ?? column.name}
                >
                  {header.column.getCanSort()
                    ? <button type="button" onClick={header.column.getToggleSortingHandler()}><span className="clip">{name_of}</span>{order && <span aria-hidden="true" className={css.order}>{order === "asc" ? "↑" : "↓"}</span>}</button>
                    : <span className="clip">{name_of}</span>}
                  <span
                    className={css.handle} onMouseDown={header.getResizeHandler()} onTouchStart={header.getResizeHandler()}
                    onDoubleClick={() => header.column.resetSize()} aria-hidden="true"
                  />
                </div>
              );
            })}
          </div>
        </div>
        {loading && <div className={css.note} role="row"><div role="gridcell"><Skeleton rows={12} /></div></div>}
        {!loading && lines.length === 0 && <div className={css.note} role="row"><div role="gridcell">{empty ?? <p className="quiet">Nothing here.</p>}</div></div>}
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), minWidth: width, position: "relative" }}>
          {items.map((item) => {
            const line = lines[item.index];
            if (!line) return null;
            const marked = item.index === index;
            const picked = selected?.includes(line.id);
            return (
              <div
                key={line.id} id={`${id}-${item.index}`} role="row" aria-rowindex={item.index + 2} aria-selected={on_select ? !!picked : undefined}
                className={`${css.line} ${marked ? css.marked : ""} ${picked ? css.picked : ""} ${open || row_url ? css.opens : ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={(event) => {
                  if (event.defaultPrevented || (event.target as HTMLElement).closest("a,button,input,label,select")) return;
                  if (window.getSelection()?.toString()) return;
                  set_at(line.id);
                  if (on_select && (event.ctrlKey || event.metaKey)) { anchor.current = line.id; toggle(line.id); }
                  else if (on_select && event.shiftKey) select_to(line.id);
                  else open_line(line.original);
                }}
              >
                {on_select && (
                  <div role="gridcell" className={css.check}>
                    <input
                      type="checkbox" aria-label="Select" checked={!!picked} onChange={() => { anchor.current ??= line.id; }}
                      onClick={(event) => { if (event.shiftKey) select_to(line.id); else { anchor.current = line.id; toggle(line.id); } }}
                    />
                  </div>
                )}
                {leaves.map((leaf) => {
                  const column = by_id.get(leaf.id)!;
                  const content = column.cell ? column.cell(line.original) : (column.value?.(line.original) ?? <span className="quiet">–</span>);
                  return <div key={leaf.id} role="gridcell" className={`${css.cell} ${column.right ? `${css.right} num` : ""}`} style={cell_style(leaf)}>{content}</div>;
                })}
              </div>
            );
          })}
        </div>
      </div>
      <div className={css.foot}>
        <span role="status">
          {loading ? "Loading" : props.total === undefined ? `${count(lines.length)} loaded, more below` : lines.length < props.total ? `${count(lines.length)} of ${count(props.total)} loaded` : `${count(lines.length)} ${lines.length === 1 ? "row" : "rows"}`}
          {selected && selected.length > 0 && <> · {count(selected.length)} selected</>}
        </span>
        <ColumnChooser
          columns={columns} shown={leaves.map((leaf) => leaf.id)} pinned={pinned} on_pin={set_pinned}
          on_change={(next) => {
            if (props.on_choose) props.on_choose(next);
            else set_visible(Object.fromEntries(columns.map((column) => [column.id, next.includes(column.id)])));
          }}
          on_reset={() => { set_sizes({}); set_pinned([]); if (props.on_choose) props.on_choose([]); else set_visible({}); }}
        />
      </div>
    </div>
  );
}

function ColumnChooser<Row>({ columns, shown, pinned, on_change, on_pin, on_reset }: {
  columns: Column<Row>[]; shown: string[]; pinned: string[]; on_change: (shown: string[]) => void; on_pin: (pinned: string[]) => void; on_reset: () => void;
}) {
  const [text, set_text] = useState("");
  const found = columns.filter(({ id, name }) => `${id} ${name}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <Popover button="Columns" name="Columns" align="right" className="plain small">
      {() => (
        <div className={css.chooser}>
          <input placeholder="Find a column" aria-label="Find a column" value={text} onChange={(event) => set_text(event.target.value)} />
          <ul>
            {found.slice(0, 300).map(({ id, name }) => (
              <li key={id}>
                <label><input type="checkbox" checked={shown.includes(id)} onChange={() => on_change(shown.includes(id) ? shown.filter((one) => one !== id) : [...shown, id])} /> <span className="clip">{name}</span></label>
                <button type="button" className="plain small" aria-pressed={pinned.includes(id)} onClick={() => on_pin(pinned.includes(id) ? pinned.filter((one) => one !== id) : [...pinned, id])}>Pin</button>
              </li>
            ))}
          </ul>
          <button type="button" className="small" onClick={on_reset}>As at first</button>
        </div>
      )}
    </Popover>
  );
}
