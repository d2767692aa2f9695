import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { HUB_SCRIPT } from '../../support/hub-fixture';
import { mlxPython } from '../../support/runtimes';
import { tempDir } from '../../support/temp-dir';

/** Parts of `hub_files.py`, run by the Python of the managed runtime. */

const SETUP = `import json, sys
from types import SimpleNamespace as Some
sys.path.insert(0, sys.argv[1])
import hub_files
lines = []
report = Some(progress=lambda step, completed, total: lines.append(step))
download = hub_files.Download(Some(id="org/m", sha="a" * 40), None, report)
`;

function python(script: string): unknown {
  const output = execFileSync(mlxPython(), ['-B', '-c', SETUP + script, dirname(HUB_SCRIPT)], {
    env: { PATH: process.env.PATH, HF_HUB_CACHE: tempDir() },
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

it('linking reports each file, as each is a call to the hub', () => {
  const lines = python(`hub_files.hf_hub_download = lambda repo, name, **options: lines.append(name)
download.link([Some(name="a"), Some(name="b")])
print(json.dumps(lines))`);
  expect(lines).toEqual(['linking', 'a', 'linking', 'b']);
});

it('a file that another program has fetched before the lock was free is not fetched again', () => {
  // Nothing listens on port 1 of loopback.
  const blob = python(`url = "http://127.0.0.1:1/file"
blob = hub_files.Blob("model.safetensors", url, Some(etag="version", size=4), download.folder)
blob.path.parent.mkdir(parents=True)
blob.path.write_text("done")
download.fetch(blob)
print(json.dumps(blob.path.read_text()))`);
  expect(blob).toBe('done');
});
