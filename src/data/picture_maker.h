// Pictures for tests.
#pragma once

#include <spng.h>
#include <turbojpeg.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"

namespace slipway::data {

/// A PNG of one channel; with a palette of 256 greys when asked.
inline std::string make_png(int width, int height, const std::vector<std::uint8_t>& pixels, int bits = 8,
                            bool palette = false) {
  spng_ctx* context = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = static_cast<std::uint8_t>(bits);
  header.color_type = palette ? SPNG_COLOR_TYPE_INDEXED : SPNG_COLOR_TYPE_GRAYSCALE;
  spng_set_ihdr(context, &header);
  if (palette) {
    spng_plte table{};
    table.n_entries = 1u << bits;
    for (std::uint32_t i = 0; i < table.n_entries; ++i)
      table.entries[i].red = table.entries[i].green = table.entries[i].blue = static_cast<std::uint8_t>(i);
    spng_set_plte(context, &table);
  }
  CHECK(spng_encode_image(context, pixels.data(), pixels.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE) == 0,
        "the PNG could not be made");
  size_t size = 0;
  int problem = 0;
  void* bytes = spng_get_png_buffer(context, &size, &problem);
  std::string out(static_cast<const char*>(bytes), size);
  std::free(bytes);
  spng_ctx_free(context);
  return out;
}

inline std::string make_jpeg(int width, int height, const std::vector<std::uint8_t>& grey) {
  tjhandle handle = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  CHECK(tjCompress2(handle, grey.data(), width, 0, height, TJPF_GRAY, &bytes, &size, TJSAMP_GRAY, 95, 0) == 0,
        "the JPEG could not be made");
  std::string out(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(handle);
  return out;
}

}  // namespace slipway::data
