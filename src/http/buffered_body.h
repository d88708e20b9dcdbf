// What is there of a request's body before the socket is asked for more: mostly all of it, because it came with the
// head.
#pragma once

#include <boost/beast/http/error.hpp>

#include "http/pace.h"

namespace slipway::http {

/// Hands it to the parser; false when more has to come before anything can be taken.
template <typename Buffer, typename Parser>
bool take_buffered(Buffer& buffer, Parser& parser, Pace& pace, boost::system::error_code& problem) {
  if (buffer.size() == 0) return false;
  const std::size_t n = parser.put(buffer.data(), problem);
  buffer.consume(n);
  pace.add(n, Duration(0));
  if (problem != boost::beast::http::error::need_more) return true;
  problem = {};
  return n > 0;
}

}  // namespace slipway::http
