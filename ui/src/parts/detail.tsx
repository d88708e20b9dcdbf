// The head of a page about one thing, and its sections.
import type { ReactNode } from "react";
import page from "../app/page.module.css";

export function Head({ title, state, children }: { title: ReactNode; state?: ReactNode; children?: ReactNode }) {
  return (
    <div className={page.head}>
      <h1>{title}</h1>
      {state}
      {children && <div className={page.actions}>{children}</div>}
    </div>
  );
}

export function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section className={page.section}>
      <header><h2>{title}</h2>{note}</header>
      {children}
    </section>
  );
}

export const Columns = ({ children }: { children: ReactNode }) => <div className={page.columns}>{children}</div>;
export const ScrollPage = ({ children }: { children: ReactNode }) => <div className={page.scroll} tabIndex={-1}><div className={page.body}>{children}</div></div>;
export const FillPage = ({ children }: { children: ReactNode }) => <div className={page.fill}>{children}</div>;
export const Bar = ({ children }: { children: ReactNode }) => <div className={page.bar}>{children}</div>;
