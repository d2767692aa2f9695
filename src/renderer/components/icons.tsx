import type { ReactNode, SVGProps } from 'react';

/** Tandem's own marks, drawn for small sizes. All other icons come from lucide. */
type IconProps = SVGProps<SVGSVGElement>;

const FILLED: IconProps = { fill: 'currentColor' };
const STROKED: IconProps = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.5,
  strokeLinejoin: 'round',
  strokeLinecap: 'round',
};

function icon(size: number, look: IconProps, shape: ReactNode) {
  return (props: IconProps) => (
    <svg width={size} height={size} viewBox={`0 0 ${size} ${size}`} aria-hidden="true" {...look} {...props}>
      {shape}
    </svg>
  );
}

/** MLX: fast. */
export const BoltIcon = icon(12, FILLED, <path d="M7 .8 2 7h3l-.6 4.2L9.9 5H6.6z" />);

/** Ollama: heavy and steady. */
export const StackIcon = icon(
  12,
  FILLED,
  <>
    <rect x="1" y="7.7" width="10" height="2.6" rx="1" />
    <rect x="2" y="4.5" width="8" height="2.2" rx="1" />
    <rect x="3.2" y="1.7" width="5.6" height="1.9" rx=".9" />
  </>,
);

/** Tandem: two strokes side by side, one lighter. */
export const TandemIcon = icon(
  12,
  STROKED,
  <>
    <path d="M4 10.2 6.2 1.8" strokeWidth="1.8" />
    <path d="M7.4 10.2 9.6 1.8" strokeWidth="1.8" opacity=".5" />
  </>,
);

export const CloudIcon = icon(
  12,
  FILLED,
  <path d="M3.4 9.6a2.4 2.4 0 0 1-.3-4.8 3.1 3.1 0 0 1 5.9-.5 2.7 2.7 0 0 1-.4 5.3z" />,
);

export const ChatIcon = icon(
  20,
  STROKED,
  <path d="M4 4h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H9l-4 3v-3H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z" />,
);

export const ModelsIcon = icon(
  20,
  STROKED,
  <path
    d="m10 2.2 6.8 3.7v8.2L10 17.8l-6.8-3.7V5.9zM3.2 5.9 10 9.7l6.8-3.8M10 9.7v8.1"
    strokeLinecap="butt"
  />,
);

export const ConnectIcon = icon(
  20,
  STROKED,
  <path d="M7 2v4.5M13 2v4.5M4.5 6.5h11v3.2a5.5 5.5 0 0 1-11 0zM10 15.2V18" />,
);

export const StatusIcon = icon(20, STROKED, <path d="M2 11h4l2-6 4 11 2-5h4" />);

export const SettingsIcon = icon(
  20,
  STROKED,
  <>
    <path d="M3 6h8M15 6h2M3 14h2M9 14h8" />
    <circle cx="13" cy="6" r="2" />
    <circle cx="7" cy="14" r="2" />
  </>,
);

export const SendIcon = icon(12, STROKED, <path d="M6 10V2M2.5 5.5 6 2l3.5 3.5" strokeWidth="1.7" />);
