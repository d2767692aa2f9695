import { type ReactNode, useId } from 'react';

/** A titled group of rows. */
export function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="px-1 pb-1.5 font-[600] text-ink-2 text-small">
        {title}
      </h2>
      <div className="divide-y divide-line rounded-card border border-line bg-card">{children}</div>
      {hint && <p className="px-1 pt-1.5 text-ink-3 text-small">{hint}</p>}
    </section>
  );
}
