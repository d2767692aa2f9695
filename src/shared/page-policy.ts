/**
 * Content policy of our pages under either host: own scripts and style sheets only, no framing, no forms, no plug-ins.
 * Styles that the page's scripts set on an element (React, KaTeX's tree) are no inline styles; what would need them
 * (markup with `style`, modal menus that write a style sheet) is not used. `connect` are further addresses that the
 * page may talk to.
 */
export function pagePolicy(connect: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
