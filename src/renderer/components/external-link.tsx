import type { MouseEvent, ReactNode } from 'react';
import { useCore } from '../stores/core-store';
import { perform } from '../stores/request';

interface ExternalLinkProps {
  href: string;
  className?: string;
  children: ReactNode;
}

/** A link out of the app, opened in the system's browser. Only web addresses become links. */
export function ExternalLink({ href, className, children }: ExternalLinkProps) {
  if (!/^https?:\/\//i.test(href)) return <span>{children}</span>;
  const onClick = (event: MouseEvent) => {
    if (useCore.getState().snapshot?.app.host !== 'electron') return;
    event.preventDefault();
    void perform('openExternal', { url: href });
  };
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      title={href}
      className={className}
      onClick={onClick}
    >
      {children}
    </a>
  );
}
