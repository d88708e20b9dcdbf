// The table every list is made of: only the rows in view exist, the head stays, columns are chosen, resized, sorted and
// pinned, and everything works from the keyboard. What the reader chose (columns, widths, pins) stays in the browser under the
// table's name; what should be sent to a colleague (order, filter) is the page's and lives in its URL.
import { getCoreRowModel, getSortedRowModel, useReactTable, type Column as Leaf, type ColumnDef, type ColumnSizingState, type Header, type Row as Line, type SortingState, type Table, type VisibilityState } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type MouseEvent, type ReactNode, type RefObject } from "react";
import { useKeys } from "../app/keys";
import { navigate } from "../app/router";
import { Popover, Skeleton } from "./basics";
import { count } from "./format";
import { kNoSlots, slots_of } from "./slots";
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
  /// A number of this column in words.
  text?: (value: number) => string;
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
  /// Pinned columns that the page keeps in its URL; what the reader pinned last counts where it says nothing.
  pinned?: string[];
  on_pin?: (columns: string[]) => void;
  height?: number;
  current?: string | undefined;
  /// What the foot says instead of how many rows are loaded.
  note?: string | undefined;
  /// What the rows are of (filter, order): when it changes the table begins at its top again.
  of?: string;
}

const kRow = 30;
const kOverscan = 12;
/// So many rows before the last loaded one, the next page is asked for.
const kAhead = 60;
/// An answer that comes sooner than this is seen without the rows going pale before it.
const kDimAfterMs = 150;
const kCheckWidth = 34;
const scroll_positions = new Map<string, number>();

interface Kept { visible?: VisibilityState; sizes?: ColumnSizingState; pinned?: string[] }
function read_kept(name: string): Kept {
  try { return JSON.parse(localStorage.getItem(`slipway.table.${name}`) ?? "{}") as Kept; } catch { return {}; }
}

export function DataTable<Row>(props: Props<Row>) {
  const { rows, columns, row_key, sort, on_sort, on_select, more, load_more, loading, changing, empty } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const kept = useKept(props.name);
  const pinned = props.pinned?.length ? props.pinned : kept.pinned;
  const pin = (next: string[]) => { kept.set_pinned(next); props.on_pin?.(next); };
  const [own_sort, set_own_sort] = useState<SortingState>(sort ? [sort] : []);
  const definitions = useMemo(() => columns.map(definition_of), [columns]);
  const by_id = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const visibility = useMemo(
    () => Object.fromEntries(columns.map(({ id: column, hidden }) => [column, props.chosen ? props.chosen.includes(column) : (kept.visible[column] ?? !hidden)])),
    [columns, kept.visible, props.chosen],
  );
  const sorting: SortingState = on_sort ? (sort ? [sort] : []) : own_sort;
  const table = useReactTable<Row>({
    data: rows, columns: definitions, getRowId: row_key,
    state: { sorting, columnVisibility: visibility, columnSizing: kept.sizes, columnPinning: { left: pinned } },
    manualSorting: !!on_sort, columnResizeMode: "onChange",
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      if (on_sort) on_sort(next[0] ?? null); else set_own_sort(next);
    },
    onColumnSizingChange: kept.set_sizes,
    getCoreRowModel: getCoreRowModel(), getSortedRowModel: getSortedRowModel(),
  });
  const lines = table.getRowModel().rows;
  // As the head has them: those that are pinned stand before the others.
  const [left, center] = [table.getLeftVisibleLeafColumns(), table.getCenterVisibleLeafColumns()];
  const leaves = useMemo(() => [...left, ...center], [left, center]);
  // The columns' sizes and places are the table's state, so their own objects do not say that they changed.
  const cells = useMemo(() => leaves.map((leaf) => cell_of(by_id.get(leaf.id)!, leaf, !!on_select)), [leaves, by_id, on_select === undefined, kept.sizes, pinned]);
  const width = table.getTotalSize() + (on_select ? kCheckWidth : 0);
  const { virtual, scrolled } = useScrolling(scroller, lines, props);
  const items = virtual.getVirtualItems().filter(({ index }) => index < lines.length);
  const keys = useSlots(items.map(({ index }) => lines[index]!.id), props.of, !changing);
  const last = items.at(-1)?.index ?? 0;
  useLoadMore(load_more, !!more && last >= lines.length - kAhead);
  const marks = useMarks(props, lines, (index) => virtual.scrollToIndex(index));
  const acts = useLatest(marks);
  const picked = useMemo(() => new Set(props.selected), [props.selected]);
  const dimmed = useLasting(!!changing, kDimAfterMs);

  return (
    <div className={css.frame} style={props.height ? { height: props.height, flex: "none" } : undefined}>
      <div
        ref={scroller} className={`${css.scroller} ${dimmed ? css.changing : ""}`} role="grid" tabIndex={0} aria-label={props.label}
        aria-rowcount={(props.total ?? lines.length) + 1} aria-colcount={leaves.length} aria-busy={loading || changing}
        aria-activedescendant={marks.index >= 0 && items.some((item) => item.index === marks.index) ? `${id}-${marks.index}` : undefined}
        onScroll={(event) => scrolled(event.currentTarget)} onKeyDown={marks.key_down}
      >
        <TableHead table={table} by_id={by_id} lines={lines} width={width} selected={props.selected} on_select={on_select} />
        {loading && <div className={css.note} role="row"><div role="gridcell"><Skeleton rows={12} /></div></div>}
        {!loading && lines.length === 0 && <div className={css.note} role="row"><div role="gridcell">{empty ?? <p className="quiet">Nothing here.</p>}</div></div>}
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), minWidth: width, position: "relative" }}>
          {items.map((item) => {
            const line = lines[item.index]!;
            return (
              <TableLine
                key={keys.get(line.id)} id={`${id}-${item.index}`} row={line.original} row_id={line.id} index={item.index} start={item.start} cells={cells} acts={acts}
                picked={on_select ? picked.has(line.id) : null} marked={item.index === marks.index} opens={!!(props.open ?? props.row_url)}
              />
            );
          })}
        </div>
      </div>
      <div className={css.foot}>
        <FootText lines={lines.length} {...props} />
        <ColumnChooser
          columns={columns} shown={leaves.map((leaf) => leaf.id)} pinned={pinned} on_pin={pin}
          on_change={(next) => {
            if (props.on_choose) props.on_choose(next);
            else kept.set_visible(Object.fromEntries(columns.map((column) => [column.id, next.includes(column.id)])));
          }}
          on_reset={() => { kept.set_sizes({}); pin([]); if (props.on_choose) props.on_choose([]); else kept.set_visible({}); }}
        />
      </div>
    </div>
  );
}

/// What this reader chose of the table, kept in the browser under its name.
function useKept(name: string) {
  const [visible, set_visible] = useState<VisibilityState>(() => read_kept(name).visible ?? {});
  const [sizes, set_sizes] = useState<ColumnSizingState>(() => read_kept(name).sizes ?? {});
  const [pinned, set_pinned] = useState<string[]>(() => read_kept(name).pinned ?? []);
  useEffect(() => {
    try { localStorage.setItem(`slipway.table.${name}`, JSON.stringify({ visible, sizes, pinned })); } catch { /* private window */ }
  }, [name, visible, sizes, pinned]);
  return { visible, set_visible, sizes, set_sizes, pinned, set_pinned };
}

function definition_of<Row>(column: Column<Row>): ColumnDef<Row> {
  return {
    id: column.id, header: column.name, size: column.width ?? 140, minSize: 48, maxSize: 900,
    accessorFn: (row) => column.value?.(row) ?? undefined,
    enableSorting: column.sortable !== false && !!column.value,
    sortUndefined: "last", sortDescFirst: column.right ?? false,
  };
}

/// Which rows are in view. Coming back to the list shows the same place again; the virtualizer begins there, too, or it would
/// scroll to the top.
function useScrolling<Row>(scroller: RefObject<HTMLDivElement | null>, lines: Line<Row>[], props: Props<Row>) {
  const place = `${props.name} ${location.pathname}`;
  const virtual = useVirtualizer({
    initialOffset: () => scroll_positions.get(place) ?? 0, count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => kRow, overscan: kOverscan, initialRect: { width: 1000, height: 800 },
  });
  const restored = useRef(false);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || restored.current || lines.length === 0) return;
    restored.current = true;
    element.scrollTop = scroll_positions.get(place) ?? 0;
  }, [scroller, lines.length, place]);

  // Rows that come above those in view do not push them away; another filter or order begins at the top.
  const top = useRef<{ id: string; rest: number } | null>(null);
  const was_of = useRef(props.of);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (was_of.current !== props.of) {
      was_of.current = props.of;
      top.current = null;
      if (scroll_positions.get(place)) element.scrollTop = 0;
    } else if (top.current && element.scrollTop > 0) {
      const { id: first, rest } = top.current;
      const now = lines.findIndex((line) => line.id === first);
      if (now >= 0 && Math.abs(now * kRow + rest - element.scrollTop) > 1) element.scrollTop = now * kRow + rest;
    }
  }, [scroller, lines, place, props.of]);
  const scrolled = (element: HTMLElement) => {
    scroll_positions.set(place, element.scrollTop);
    const first = lines[Math.floor(element.scrollTop / kRow)];
    top.current = first ? { id: first.id, rest: element.scrollTop % kRow } : null;
  };
  return { virtual, scrolled };
}

interface Marks<Row> {
  /// The row that keys act on; -1 for none.
  index: number;
  mark: (key: string) => void;
  open_line: (row: Row) => void;
  toggle: (key: string) => void;
  /// From the row that was selected last to this one.
  select_to: (key: string) => void;
  anchor: RefObject<string | null>;
  key_down: (event: KeyboardEvent<HTMLDivElement>) => void;
}

function useMarks<Row>(props: Props<Row>, lines: Line<Row>[], show: (index: number) => void): Marks<Row> {
  const { open, row_url, selected = [], on_select, primary } = props;
  const [at, set_at] = useState<string | null>(null);
  const anchor = useRef<string | null>(null);
  const index = lines.findIndex((line) => line.id === (props.current ?? at));
  const move = (step: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, index < 0 ? 0 : index + step));
    const next = lines[to];
    if (!next) return;
    set_at(next.id);
    show(to);
    if (props.current !== undefined) open?.(next.original);
  };
  const open_line = (row: Row) => { if (open) open(row); else if (row_url) navigate(row_url(row)); };
  const toggle = (key: string) => on_select?.(selected.includes(key) ? selected.filter((one) => one !== key) : [...selected, key]);
  const select_to = (key: string) => {
    const from = lines.findIndex((line) => line.id === anchor.current);
    const to = lines.findIndex((line) => line.id === key);
    if (from < 0) return toggle(key);
    const span = lines.slice(Math.min(from, to), Math.max(from, to) + 1).map((line) => line.id);
    on_select?.([...new Set([...selected, ...span])]);
  };
  useKeys(primary ? [
    { keys: "j", what: "Next row", run: () => move(1), group: "Table" },
    { keys: "k", what: "Previous row", run: () => move(-1), group: "Table" },
    ...(on_select ? [{ keys: "x", what: "Select the row", run: () => { if (lines[index]) toggle(lines[index].id); }, group: "Table" }] : []),
    ...(open || row_url ? [{ keys: "Enter", what: "Open the row", run: () => { if (lines[index]) open_line(lines[index].original); }, group: "Table" }] : []),
  ] : []);
  const key_down = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key] ?? (primary ? 0 : { j: 1, k: -1 }[event.key] ?? 0);
    if (step) { event.preventDefault(); move(step); }
    if (event.key === "Enter" && event.target === event.currentTarget && lines[index] && (open || row_url)) { event.preventDefault(); open_line(lines[index].original); }
  };
  return { index, mark: set_at, open_line, toggle, select_to, anchor, key_down };
}

/// The elements of the rows in view. While an answer is on its way the rows are still those of the question before.
function useSlots(rows: string[], of: string | undefined, answered: boolean): Map<string, number> {
  const before = useRef(kNoSlots);
  const now = slots_of(before.current, rows, answered ? of : before.current.of);
  useLayoutEffect(() => { before.current = now; });
  return now.keys;
}

/// Asks for more once what is there is on the screen, a frame after it was drawn: rows further down wait for those in view.
function useLoadMore(load_more: (() => void) | undefined, wanted: boolean) {
  const load = useLatest(wanted ? load_more : undefined);
  const waits = useRef(false);
  useEffect(() => {
    if (!wanted || waits.current) return;
    waits.current = true;
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => { waits.current = false; load.current?.(); }, 0)));
  });
  useEffect(() => () => { load.current = undefined; }, [load]);
}

/// What was passed last, for handlers that stay the same.
function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useLayoutEffect(() => { latest.current = value; });
  return latest;
}

/// Whether `value` has been true for so long.
function useLasting(value: boolean, ms: number): boolean {
  const [lasts, set_lasts] = useState(false);
  useEffect(() => {
    if (!value) return;
    const timer = setTimeout(() => set_lasts(true), ms);
    return () => { clearTimeout(timer); set_lasts(false); };
  }, [value, ms]);
  return lasts;
}

/// A column as the rows need it.
interface Cell<Row> { column: Column<Row>; style: CSSProperties }
const cell_of = <Row,>(column: Column<Row>, leaf: Leaf<Row>, checks: boolean): Cell<Row> => ({ column, style: cell_style(leaf, checks) });

/// Pinned columns stay where they are while the others scroll.
function cell_style<Row>(leaf: Leaf<Row>, checks: boolean): CSSProperties {
  const pinned = leaf.getIsPinned() ? { position: "sticky" as const, left: leaf.getStart("left") + (checks ? kCheckWidth : 0), zIndex: 1 } : {};
  return { width: leaf.getSize(), ...pinned };
}

function TableHead<Row>({ table, by_id, lines, width, selected, on_select }: {
  table: Table<Row>; by_id: Map<string, Column<Row>>; lines: Line<Row>[]; width: number; selected: string[] | undefined; on_select: ((keys: string[]) => void) | undefined;
}) {
  const all_selected = lines.length > 0 && lines.every((line) => selected?.includes(line.id));
  return (
    <div className={css.head} role="rowgroup" style={{ minWidth: width }}>
      <div role="row" aria-rowindex={1}>
        {on_select && (
          <div role="columnheader" className={css.check}>
            <input type="checkbox" aria-label="Select all rows shown" checked={all_selected} onChange={() => on_select(all_selected ? [] : lines.map((line) => line.id))} />
          </div>
        )}
        {table.getFlatHeaders().map((header) => <HeadCell key={header.id} header={header} column={by_id.get(header.column.id)!} checks={!!on_select} />)}
      </div>
    </div>
  );
}

function HeadCell<Row>({ header, column, checks }: { header: Header<Row, unknown>; column: Column<Row>; checks: boolean }) {
  const order = header.column.getIsSorted();
  const name_of = <>{column.name}{column.unit && <span className={css.unit}> {column.unit}</span>}</>;
  return (
    <div
      role="columnheader" className={`${css.cell} ${column.right ? css.right : ""}`} style={cell_style(header.column, checks)}
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
}

interface LineProps<Row> {
  id: string; row: Row; row_id: string; index: number; start: number; cells: Cell<Row>[];
  /// null: rows of this table are not selected.
  picked: boolean | null;
  marked: boolean; opens: boolean; acts: RefObject<Marks<Row>>;
}

/// Drawn again only when something of its own changed: a table is drawn again with every key, page and event.
const TableLine = memo(function TableLine<Row>({ id, row, row_id, index, start, cells, picked, marked, opens, acts }: LineProps<Row>) {
  const clicked = (event: MouseEvent<HTMLDivElement>) => {
    if (event.defaultPrevented || (event.target as HTMLElement).closest("a,button,input,label,select")) return;
    if (window.getSelection()?.toString()) return;
    const { mark, anchor, toggle, select_to, open_line } = acts.current;
    mark(row_id);
    if (picked !== null && (event.ctrlKey || event.metaKey)) { anchor.current = row_id; toggle(row_id); }
    else if (picked !== null && event.shiftKey) select_to(row_id);
    else open_line(row);
  };
  return (
    <div
      id={id} role="row" aria-rowindex={index + 2} aria-selected={picked ?? undefined}
      className={`${css.line} ${marked ? css.marked : ""} ${picked ? css.picked : ""} ${opens ? css.opens : ""}`}
      style={{ transform: `translateY(${start}px)` }} onClick={clicked}
    >
      {picked !== null && (
        <div role="gridcell" className={css.check}>
          <input
            type="checkbox" aria-label="Select" checked={picked} onChange={() => { acts.current.anchor.current ??= row_id; }}
            onClick={(event) => { const { anchor, toggle, select_to } = acts.current; if (event.shiftKey) select_to(row_id); else { anchor.current = row_id; toggle(row_id); } }}
          />
        </div>
      )}
      {cells.map(({ column, style }) => (
        <div key={column.id} role="gridcell" className={`${css.cell} ${column.right ? `${css.right} num` : ""}`} style={style}>
          {column.cell ? column.cell(row) : (column.value?.(row) ?? <span className="quiet">–</span>)}
        </div>
      ))}
    </div>
  );
}) as <Row>(props: LineProps<Row>) => ReactNode;

function FootText({ lines, loading, total, selected, note }: { lines: number; loading?: boolean; total?: number | undefined; selected?: string[]; note?: string | undefined }) {
  const loaded = loading ? "Loading" : total === undefined ? `${count(lines)} loaded, more below` : lines < total ? `${count(lines)} of ${count(total)} loaded` : `${count(lines)} ${lines === 1 ? "row" : "rows"}`;
  return <span role="status">{note ?? loaded}{selected && selected.length > 0 && <> · {count(selected.length)} selected</>}</span>;
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
