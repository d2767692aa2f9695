/**
 * Content policy of our pages under both hosts: only own scripts and style sheets, no framing, no forms, no plug-ins.
 * Styles that the page's scripts set on an element (React, KaTeX's tree) do not count as inline; what would count
 * (markup with `style`, modal menus that write a style sheet) is not used. `connect` lists further addresses that the
 * page may connect to.
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
