// The drawer that says how this page is had without the browser.
import { Command } from "../parts/basics";
import { useFrame } from "./page";
import css from "./how.module.css";

export function How({ onClose }: { onClose: () => void }) {
  const { hows } = useFrame();
  return (
    <aside className={css.how} aria-label="How to do the same">
      <header><h2>How</h2><button type="button" className="plain small" onClick={onClose}>Close</button></header>
      {hows.length === 0 && <p className="quiet">This page has no command of its own.</p>}
      {hows.map(({ what, cli, curl, python }) => (
        <section key={what}>
          <h3>{what}</h3>
          {cli && <><h4>Command line</h4><Command text={cli} /></>}
          {curl && <><h4>curl</h4><Command text={curl} /></>}
          {python && <><h4>Python</h4><Command text={python} /></>}
        </section>
      ))}
    </aside>
  );
}
