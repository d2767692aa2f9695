import { c, cpp, csharp, dart, java, kotlin, objectiveC, scala } from '@codemirror/legacy-modes/mode/clike';
import { cmake } from '@codemirror/legacy-modes/mode/cmake';
import { css, less, sCSS } from '@codemirror/legacy-modes/mode/css';
import { diff } from '@codemirror/legacy-modes/mode/diff';
import { dockerFile } from '@codemirror/legacy-modes/mode/dockerfile';
import { go } from '@codemirror/legacy-modes/mode/go';
import { haskell } from '@codemirror/legacy-modes/mode/haskell';
import { javascript, json, typescript } from '@codemirror/legacy-modes/mode/javascript';
import { julia } from '@codemirror/legacy-modes/mode/julia';
import { lua } from '@codemirror/legacy-modes/mode/lua';
import { nginx } from '@codemirror/legacy-modes/mode/nginx';
import { perl } from '@codemirror/legacy-modes/mode/perl';
import { powerShell } from '@codemirror/legacy-modes/mode/powershell';
import { properties } from '@codemirror/legacy-modes/mode/properties';
import { protobuf } from '@codemirror/legacy-modes/mode/protobuf';
import { python } from '@codemirror/legacy-modes/mode/python';
import { r } from '@codemirror/legacy-modes/mode/r';
import { ruby } from '@codemirror/legacy-modes/mode/ruby';
import { rust } from '@codemirror/legacy-modes/mode/rust';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { standardSQL } from '@codemirror/legacy-modes/mode/sql';
import { stex } from '@codemirror/legacy-modes/mode/stex';
import { swift } from '@codemirror/legacy-modes/mode/swift';
import { toml } from '@codemirror/legacy-modes/mode/toml';
import { html, xml } from '@codemirror/legacy-modes/mode/xml';
import { yaml } from '@codemirror/legacy-modes/mode/yaml';
import type { Mode } from './highlight';

/** The coloured languages, each with the names that models write after a fence. */
const LANGUAGES: readonly [Mode, string][] = [
  [c, 'c h'],
  [cmake, 'cmake'],
  [cpp, 'cpp c++ cc hpp cuda metal'],
  [csharp, 'csharp c# cs'],
  [css, 'css'],
  [dart, 'dart'],
  [diff, 'diff patch'],
  [dockerFile, 'dockerfile docker'],
  [go, 'go golang'],
  [haskell, 'haskell hs'],
  [html, 'html vue svelte'],
  [java, 'java'],
  [javascript, 'javascript js jsx mjs cjs node'],
  [json, 'json json5 jsonc jsonl'],
  [julia, 'julia jl'],
  [kotlin, 'kotlin kt'],
  [less, 'less'],
  [lua, 'lua'],
  [nginx, 'nginx'],
  [objectiveC, 'objective-c objectivec objc'],
  [perl, 'perl pl'],
  [powerShell, 'powershell ps1 pwsh'],
  [properties, 'properties ini conf env'],
  [protobuf, 'protobuf proto'],
  [python, 'python py python3 py3'],
  [r, 'r'],
  [ruby, 'ruby rb'],
  [rust, 'rust rs'],
  [sCSS, 'scss sass'],
  [scala, 'scala'],
  [shell, 'shell sh bash zsh console terminal'],
  [standardSQL, 'sql mysql postgresql postgres sqlite'],
  [stex, 'latex tex'],
  [swift, 'swift'],
  [toml, 'toml'],
  [typescript, 'typescript ts tsx'],
  [xml, 'xml svg plist'],
  [yaml, 'yaml yml'],
];

/** Modes by the name after a fence, in lower case. */
export const MODES: ReadonlyMap<string, Mode> = new Map(
  LANGUAGES.flatMap(([mode, words]) => words.split(' ').map((word): [string, Mode] => [word, mode])),
);
