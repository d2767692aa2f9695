import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readManifest } from '../../resources/setup/lib/manifest.js';

const VERSION = '9.9.9';

/** Go: its module cache is an empty folder, its programs print a version. */
const go = (bin: string) => `
case "$1" in
  env) echo go1.99.0 ;;
  mod) mkdir -p "$GOMODCACHE/ollama/llama/server"; echo '{"Sum":"h1:good","Dir":"'"$GOMODCACHE/ollama"'"}' ;;
  list) printf 'a\\nb\\n' ;;
  build) for last; do out="$before"; before="$last"; done
    mkdir -p "$(dirname "$out")"; printf '#!/bin/sh\\necho ollama version is ${VERSION}\\n' > "$out"; chmod +x "$out"
    echo a >&2; echo b >&2 ;;
esac
echo "go $1" >> ${bin}/calls`;

/** CMake: four steps; finished steps are not repeated. \`wait\` makes it stop before the third. */
const cmake = (bin: string) => `
case "$1" in
  --version) echo cmake version 3.99.0; exit 0 ;;
  --build) build="$2" ;;
  *) mkdir -p "$4/bin"; echo "cmake configure" >> ${bin}/calls; exit 0 ;;
esac
[ -e ${bin}/broken ] && { echo 'server.cpp:1: error: it is broken'; exit 1; }
for step in 1 2 3 4; do
  grep -q "^$step$" "$build/done" 2>/dev/null && continue
  [ $step = 3 ] && [ -e ${bin}/wait ] && exec sleep 600
  echo $step >> "$build/done"; echo "cmake step $step" >> ${bin}/calls; echo "[ $((step * 25))%] Building $step"
done
for name in llama-server llama-quantize; do printf '#!/bin/sh\\n' > "$build/bin/$name"; chmod +x "$build/bin/$name"; done`;

/** Python: pip's download is a copy. */
const python = (bin: string, archive: string) => `
[ "$1" = -c ] && exit 0
for last; do :; done
cp ${archive} "$last"; echo fetch >> ${bin}/calls`;

/**
 * Programs named Go, CMake and Python that build an "Ollama" in a moment, and a set-up that finds them before the real
 * ones.
 */
export class FakeBuildTools {
  readonly runtimes: string;
  readonly place: { env: Record<string, string>; platform: string; home: string };
  readonly manifest = readManifest();
  readonly #bin: string;

  constructor(root: string) {
    this.#bin = join(root, 'bin');
    this.runtimes = join(root, 'runtimes');
    const env = { PATH: `${this.#bin}:${process.env.PATH}`, TANDEM_RUNTIME_DIR: this.runtimes };
    this.place = { env, platform: 'linux', home: root };
    Object.assign(this.manifest.ollama, { version: VERSION, sum: 'h1:good' });
    const { mlx, ollama } = this.manifest;
    mkdirSync(join(root, ollama.llamaCpp.folder), { recursive: true });
    const archive = join(root, 'source.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', root, ollama.llamaCpp.folder]);
    const venv = join(this.runtimes, `mlx-${mlx.version}`, 'bin', 'python');
    this.program(venv, python(this.#bin, archive));
    this.program(join(this.#bin, 'go'), go(this.#bin));
    this.program(join(this.#bin, 'cmake'), cmake(this.#bin));
    for (const name of ['make', 'cc', 'c++', 'git']) this.program(join(this.#bin, name), '');
    ollama.tools[1].programs = ['make'];
  }

  /** The programs run since the last call, in order. */
  calls(): string[] {
    const file = join(this.#bin, 'calls');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    writeFileSync(file, '');
    return lines.filter((line) => line !== '' && line !== 'go env');
  }

  /** A file that changes what CMake does: `wait` or `broken`. */
  mark(name: 'wait' | 'broken'): string {
    const file = join(this.#bin, name);
    writeFileSync(file, '');
    return file;
  }

  /** Creates a managed build with the layout of 0.24. */
  earlier(version: string): string {
    const file = join(this.runtimes, `ollama-${version}`, 'ollama');
    this.program(file, `echo "ollama version is ${version}"`);
    writeFileSync(join(dirname(file), 'tandem-runtime.json'), '{}');
    return file;
  }

  program(file: string, body: string): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
  }
}
