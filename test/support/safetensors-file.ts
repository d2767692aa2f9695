/** Parts of a safetensors file: 8 bytes of length, a JSON header, then the arrays. */

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A file with only those arrays of another one whose names match. */
export function withArrays(file: Buffer, pattern: RegExp): Buffer {
  return pack(arraysOf(file).filter(([name]) => pattern.test(name)));
}

/** The same file with another name for one array. */
export function renameArray(file: Buffer, from: string, to: string): Buffer {
  return pack(arraysOf(file).map(([name, entry, data]) => [name === from ? to : name, entry, data]));
}

type NamedArray = [name: string, entry: Entry, data: Buffer];

function arraysOf(file: Buffer): NamedArray[] {
  const start = 8 + Number(file.readBigUInt64LE());
  const header: Record<string, Entry> = JSON.parse(file.toString('utf8', 8, start));
  delete header.__metadata__;
  return Object.entries(header).map(([name, entry]) => {
    const [from, to] = entry.data_offsets;
    return [name, entry, file.subarray(start + from, start + to)];
  });
}

function pack(arrays: readonly NamedArray[]): Buffer {
  let offset = 0;
  const header: Record<string, Entry> = {};
  for (const [name, entry, data] of arrays) {
    header[name] = { ...entry, data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...arrays.map(([, , data]) => data)]);
}
