// /api/v1/blobs, /api/v1/trees: bytes by their hash, up and down, one by one or many at once.
#pragma once

#include "http/http.h"
#include "store/store.h"

namespace slipway::api {

inline constexpr size_t kBlobHashesMax = 100'000;  // in one request
inline constexpr std::uint64_t kBlobBatchBytesMax = 64ull << 20;
inline constexpr size_t kTreeEntriesAnswered = 100'000;  // of one tree as JSON

/// The store outlives the router's use.
void add_blobs(http::Router& router, store::Store& store);

}  // namespace slipway::api
