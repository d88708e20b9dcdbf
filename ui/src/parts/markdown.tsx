// Markdown as elements of the page. Nothing of it ever becomes HTML: a parser gives a tree of words, and each kind of node is
// an element that is written here, so that what has none (raw HTML above all) is shown as the text that it is.
import { Lexer, type Token, type Tokens } from "marked";
import { Fragment, memo, useMemo, type ReactNode } from "react";
import { address } from "../api/client";
import { Link } from "../app/router";
import { link_target, picture_target, without_entities } from "./markdown_links";
import css from "./markdown.module.css";

/// What a fenced block of some language is instead of code: "```chart".
export type Blocks = Record<string, (body: string) => ReactNode>;
interface Props { text: string; blocks?: Blocks; /** The level of its topmost heading. */ level?: number }

export const Markdown = memo(function Markdown({ text, blocks = kNone, level = 2 }: Props) {
  const tokens = useMemo(() => new Lexer({ gfm: true }).lex(text.slice(0, kCharactersMax)), [text]);
  return <div className={css.markdown}>{many(tokens, { blocks, level })}</div>;
});
const kNone: Blocks = {};
/// As long as a report may be.
const kCharactersMax = 256 * 1024;

interface Around { blocks: Blocks; level: number }

const many = (tokens: Token[] | undefined, around: Around): ReactNode => tokens?.map((token, i) => <Fragment key={i}>{one(token, around)}</Fragment>);

function one(token: Token, around: Around): ReactNode {
  const inside = "tokens" in token ? many(token.tokens, around) : null;
  switch (token.type) {
    case "space": case "def": return null;
    case "heading": return <Heading level={(token as Tokens.Heading).depth - 1 + around.level}>{inside}</Heading>;
    case "paragraph": return <p>{inside}</p>;
    case "blockquote": return <blockquote>{inside}</blockquote>;
    case "hr": return <hr />;
    case "list": return <List list={token as Tokens.List} around={around} />;
    case "checkbox": return null;
    case "table": return <Table table={token as Tokens.Table} around={around} />;
    case "code": return block(token as Tokens.Code, around);
    case "strong": return <strong>{inside}</strong>;
    case "em": return <em>{inside}</em>;
    case "del": return <del>{inside}</del>;
    case "br": return <br />;
    case "codespan": return <code>{(token as Tokens.Codespan).text}</code>;
    case "link": return <To href={(token as Tokens.Link).href} title={(token as Tokens.Link).title}>{inside}</To>;
    case "image": return <Picture {...(token as Tokens.Image)} />;
    case "text": return (token as Tokens.Text).tokens ? inside : without_entities((token as Tokens.Text).text);
    case "escape": return (token as Tokens.Escape).text;
    // Raw HTML, and whatever the parser may come to know.
    default: return token.raw;
  }
}

function Heading({ level, children }: { level: number; children: ReactNode }) {
  const Name = `h${Math.min(level, 6)}` as "h2";
  return <Name>{children}</Name>;
}

function List({ list, around }: { list: Tokens.List; around: Around }) {
  const items = list.items.map((item, i) => (
    <li key={i} className={item.task ? css.task : undefined}>
      {item.task && <input type="checkbox" checked={!!item.checked} disabled aria-label={item.checked ? "done" : "to do"} />}
      {many(item.tokens, around)}
    </li>
  ));
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ table, around }: { table: Tokens.Table; around: Around }) {
  const cell = (Name: "th" | "td", { align, tokens }: Tokens.TableCell, i: number) => <Name key={i} className={align ? css[align] : undefined}>{many(tokens, around)}</Name>;
  return (
    <div className={css.over} tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead><tr>{table.header.map((one_cell, i) => cell("th", one_cell, i))}</tr></thead>
        <tbody>{table.rows.map((row, i) => <tr key={i}>{row.map((one_cell, j) => cell("td", one_cell, j))}</tr>)}</tbody>
      </table>
    </div>
  );
}

function block({ lang, text }: Tokens.Code, { blocks }: Around): ReactNode {
  const language = lang?.trim().split(/\s+/)[0] ?? "";
  const made = Object.hasOwn(blocks, language) ? blocks[language] : undefined;
  return made ? made(text) : <pre tabIndex={0}><code>{text}</code></pre>;
}

function To({ href, title, children }: { href: string; title?: string | null | undefined; children: ReactNode }) {
  const target = link_target(without_entities(href), location.origin);
  const named = title ? { title: without_entities(title) } : {};
  if (!target) return <>{children}</>;
  if (target.kind === "page") return <Link to={target.to} {...named}>{children}</Link>;
  if (target.kind === "file") return <a href={address(target.href)} {...named}>{children}</a>;
  return <a href={target.href} target="_blank" rel="noopener noreferrer nofollow" {...named}>{children}</a>;
}

function Picture({ href, text, title }: Tokens.Image) {
  const target = picture_target(without_entities(href), location.origin);
  const words = without_entities(text);
  if (target?.kind === "file") return <img src={address(target.href)} alt={words} title={title ? without_entities(title) : undefined} loading="lazy" />;
  if (target) return <a href={target.href} target="_blank" rel="noopener noreferrer nofollow" className={css.elsewhere}>Picture at {target.host}{words && `: ${words}`}</a>;
  return <span className={css.elsewhere}>{words || "Picture"} (its address is neither a file of a run nor https)</span>;
}
