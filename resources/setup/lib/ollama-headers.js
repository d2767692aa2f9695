import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Stand-in for the audio decoder's header, which Debian does not package. It has the names that Ollama's C++ code
 * uses and refuses every audio file, so a build with it reads text and pictures, no sound.
 */
const audioHeader = `#ifndef TANDEM_MINIAUDIO_H
#define TANDEM_MINIAUDIO_H

#include <stddef.h>

typedef int ma_result;
typedef unsigned int ma_uint32;
typedef unsigned long long ma_uint64;
typedef enum ma_format { ma_format_unknown = 0, ma_format_f32 = 5 } ma_format;

typedef struct ma_decoder_config {
    ma_format format;
    ma_uint32 channels;
    ma_uint32 sampleRate;
} ma_decoder_config;

typedef struct ma_decoder {
    void *none;
} ma_decoder;

#define MA_SUCCESS 0
#define MA_NOT_IMPLEMENTED (-29)

static inline ma_decoder_config ma_decoder_config_init(ma_format format, ma_uint32 channels, ma_uint32 rate) {
    ma_decoder_config config = {format, channels, rate};
    return config;
}

static inline ma_result ma_decoder_init_memory(const void *data, size_t size, const ma_decoder_config *config,
                                               ma_decoder *decoder) {
    (void)data, (void)size, (void)config, (void)decoder;
    return MA_NOT_IMPLEMENTED;
}

static inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *decoder, ma_uint64 *length) {
    (void)decoder;
    *length = 0;
    return MA_NOT_IMPLEMENTED;
}

static inline ma_result ma_decoder_read_pcm_frames(ma_decoder *decoder, void *frames, ma_uint64 count,
                                                   ma_uint64 *read) {
    (void)decoder, (void)frames, (void)count;
    if (read) *read = 0;
    return MA_NOT_IMPLEMENTED;
}

static inline ma_result ma_decoder_uninit(ma_decoder *decoder) {
    (void)decoder;
    return MA_SUCCESS;
}

#endif
`;

/**
 * Writes the stand-in below an include folder.
 *
 * @param {string} includeDir
 */
export function writeAudioHeader(includeDir) {
  const file = join(includeDir, 'miniaudio', 'miniaudio.h');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, audioHeader);
}

/** Folders where C++ headers of the system and of Homebrew live. */
const includeDirs = ['/usr/include', '/usr/local/include', '/opt/homebrew/include'];

/**
 * Which of the needed headers no include folder has.
 *
 * @param {{ file: string, apt: string }[]} headers
 * @param {string[]} [dirs]
 */
export function missingHeaders(headers, dirs = includeDirs) {
  return headers.filter(({ file }) => !dirs.some((dir) => existsSync(join(dir, file))));
}
