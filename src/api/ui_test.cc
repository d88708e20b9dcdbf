#include "api/ui.h"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

const char kBytes[] = "<html>HHHHsome scriptSS";
const Asset kAssets[] = {
    {"/assets/index-1a2b3c4d.js", "text/javascript; charset=utf-8", "\"e2\"", true, 10, 11, 21, 2},
    {"/index.html", "text/html; charset=utf-8", "\"e1\"", false, 0, 6, 6, 4},
};

http::Response ask(std::string path, std::vector<std::pair<std::string, std::string>> headers = {},
                   std::span<const Asset> assets = kAssets) {
  http::Request request;
  request.path = std::move(path);
  for (auto& [name, value] : headers) request.headers.add(name, value);
  return ui_response(request, {assets, kBytes});
}

TEST(Ui, a_file_is_served_compressed_to_those_who_accept_it) {
  const auto packed = ask("/assets/index-1a2b3c4d.js", {{"Accept-Encoding", "br, gzip;q=0.8"}});
  EXPECT_EQ(packed.body, "SS");
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  const auto plain = ask("/assets/index-1a2b3c4d.js", {{"Accept-Encoding", "gzip;q=0"}});
  EXPECT_EQ(plain.body, "some script");
  EXPECT_FALSE(plain.headers.has("Content-Encoding"));
  EXPECT_FALSE(plain.compressible);
}

TEST(Ui, a_file_with_its_hash_in_its_name_is_kept_for_ever_and_the_page_is_asked_for_again) {
  EXPECT_EQ(ask("/assets/index-1a2b3c4d.js").headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(ask("/").headers.get("Cache-Control"), "no-cache");
}

TEST(Ui, an_unknown_path_is_the_page_for_a_browser_and_not_found_for_a_program) {
  const auto page = ask("/runs/1234", {{"Accept", "text/html,application/xhtml+xml;q=0.9"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<html>");
  EXPECT_EQ(ask("/runs/1234", {{"Accept", "application/json"}}).status, 404);
  EXPECT_EQ(ask("/runs/1234").status, 404);
}

TEST(Ui, a_mistyped_api_path_is_not_found_even_for_a_browser) {
  for (const char* path : {"/api/v1/runz", "/v2/models", "/ajax-api/2.0/x", "/assets/gone-00000000.js"}) {
    EXPECT_EQ(ask(path, {{"Accept", "text/html"}}).status, 404) << path;
  }
}

TEST(Ui, a_browser_that_has_it_is_told_so) {
  const auto response = ask("/", {{"If-None-Match", "\"e0\", W/\"e1\""}});
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(ask("/", {{"If-None-Match", "\"e0\""}}).status, 200);
}

TEST(Ui, below_a_prefix_every_address_in_the_page_begins_with_it) {
  const std::string html = "<html lang=\"en\"><script src=\"/assets/a.js\"></script><link href=\"/assets/a.css\">";
  const Asset index[] = {{"/index.html", "text/html", "\"e1\"", false, 0, html.size(), 0, 0}};
  for (const char* path : {"/", "/index.html", "/runs/1234"}) {
    http::Request request;
    request.path = path;
    request.headers.add("Accept", "text/html").add("Accept-Encoding", "gzip").add("If-None-Match", "\"e1\"");
    const auto page = ui_response(request, {index, html.data()}, "/lab");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body,
              "<html data-prefix=\"/lab\" lang=\"en\"><script src=\"/lab/assets/a.js\"></script>"
              "<link href=\"/lab/assets/a.css\">");
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
    EXPECT_TRUE(page.headers.has("Content-Security-Policy"));
  }
}

TEST(Ui, every_answer_forbids_scripts_from_elsewhere_and_frames) {
  for (const char* path : {"/", "/assets/index-1a2b3c4d.js"}) {
    const auto response = ask(path);
    const std::string_view policy = response.headers.get("Content-Security-Policy");
    EXPECT_NE(policy.find("script-src 'self'"), std::string_view::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string_view::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string_view::npos);
  }
}

TEST(Ui, a_server_built_without_it_says_how_to_build_it) {
  const auto response = ask("/runs", {{"Accept", "text/html"}}, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find("npm run build"), std::string::npos);
}

}  // namespace
}  // namespace slipway::api
