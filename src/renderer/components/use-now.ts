import { useEffect, useState } from 'react';

/** Wall time that updates every `stepMs` while `active`; for countdowns and uptimes. */
export function useNow(stepMs: number, active = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, stepMs);
    return () => clearInterval(timer);
  }, [stepMs, active]);
  return now;
}
