#include "api/gate.h"

#include <gtest/gtest.h>

#include <array>

#include "api/api.h"
#include "api/signed_url.h"
#include "base/file.h"
#include "base/text.h"
#include "http/sharing.h"

namespace slipway::api {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr unsigned kOwner = 1000, kStranger = 1001;

class GateTest : public testing::Test {
 protected:
  GateTest()
      : database_(catalog::Database::open({.url = "sqlite:" + (folder_.path() / "t.db").string()}, catalog::schema(),
                                          counters_)
                      .value()),
        teams_(teams::Teams::open(*database_, clock_, "ada").value()),
        gate_(make_gate(*teams_,
                        {.owner_uid = kOwner, .hosts = {"lab.example"}, .origins = {"https://pages.example"}})) {}

  http::Router::Gate open_gate(GateOptions options) { return make_gate(*teams_, std::move(options)); }

  /// A request of the server's own user on this machine.
  http::Request local(std::string target, Headers headers = {}) {
    http::Request request = remote(std::move(target), std::move(headers));
    request.peer = {.address = "127.0.0.1", .loopback = true, .uid = kOwner};
    if (!request.headers.has("Host")) request.headers.set("Host", "127.0.0.1:7070");
    return request;
  }
  http::Request remote(std::string target, Headers headers = {}) {
    http::Request request;
    request.target = std::move(target);
    const size_t question = request.target.find('?');
    request.path = http::url_decode(std::string_view(request.target).substr(0, question));
    if (question != std::string::npos)
      request.query = {{"project", request.target.substr(request.target.find('=') + 1)}};
    for (auto& [name, value] : headers) request.headers.add(name, value);
    request.peer = {.address = "10.0.0.7"};
    return request;
  }
  /// 200 when the gate lets it in, else its answer's status.
  int status(http::Request request) {
    const auto refused = gate_(request);
    return refused ? refused->status : 200;
  }
  std::string caller(http::Request request) {
    const auto refused = gate_(request);
    return refused ? "refused" : caller_of(request).name;
  }
  std::string project(http::Request request) {
    const auto refused = gate_(request);
    return refused ? std::to_string(refused->status) : project_of(request).text;
  }
  std::string token(std::string_view member, std::optional<Duration> lifetime = std::nullopt) {
    return teams_->create_token(teams_->find_member(member).value(), "t", lifetime)->secret;
  }

  TemporaryDirectory folder_;
  FakeClock clock_;
  Counters counters_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<teams::Teams> teams_;
  http::Router::Gate gate_;
};

constexpr char kRuns[] = "/api/v1/runs";

TEST_F(GateTest, the_user_who_runs_the_server_needs_no_token_on_loopback_and_nobody_else_does_without) {
  EXPECT_EQ(caller(local(kRuns)), "ada");
  http::Request stranger = local(kRuns);
  stranger.peer.uid = kStranger;
  EXPECT_EQ(status(stranger), 401);
  stranger.peer.uid = std::nullopt;  // whose socket it is could not be found out
  EXPECT_EQ(status(stranger), 401);
  EXPECT_EQ(status(remote(kRuns)), 401);
  http::Request forged = remote(kRuns);
  forged.peer.uid = kOwner;
  EXPECT_EQ(status(forged), 401);
}

TEST_F(GateTest, a_name_that_was_rebound_to_this_machine_is_refused) {
  for (const char* good : {"localhost", "LOCALHOST:7070", "127.0.0.1", "127.0.0.1:80", "[::1]:7070", "[::1]",
                           "slipway.localhost:1", "lab.example:7070", "Lab.Example"}) {
    EXPECT_EQ(status(local(kRuns, {{"Host", good}})), 200) << good;
  }
  for (const char* bad : {"evil.example", "evil.example:7070", "127.0.0.1.evil.example", "localhost.evil.example",
                          "evillocalhost", "[::2]", "", "lab.example.evil"}) {
    EXPECT_EQ(status(local(kRuns, {{"Host", bad}})), 403) << bad;
    EXPECT_EQ(status(local("/healthz", {{"Host", bad}})), 403) << bad;
  }
}

TEST_F(GateTest, a_page_of_another_origin_may_not_call_even_with_a_credential) {
  const std::string bearer = "Bearer " + token("ada");
  for (const char* good : {"http://127.0.0.1:7070", "https://127.0.0.1:7070", "https://pages.example"}) {
    EXPECT_EQ(status(local(kRuns, {{"Origin", good}})), 200) << good;
  }
  for (const char* bad : {"http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:7071",
                          "http://pages.example", "127.0.0.1:7070"}) {
    EXPECT_EQ(status(local(kRuns, {{"Origin", bad}})), 403) << bad;
    EXPECT_EQ(status(remote(kRuns, {{"Host", "server.example"}, {"Origin", bad}, {"Authorization", bearer}})), 403)
        << bad;
  }
  EXPECT_EQ(status(remote(
                kRuns, {{"Host", "server.example"}, {"Origin", "https://server.example"}, {"Authorization", bearer}})),
            200);
}

TEST_F(GateTest, pages_of_an_allowed_origin_may_ask_first_and_then_call) {
  http::Request asks = local(kRuns, {{"Origin", "https://a.lab.example"},
                                     {"Access-Control-Request-Method", "PATCH"},
                                     {"Access-Control-Request-Headers", "authorization, content-type"}});
  asks.method = http::Method::options;
  const auto answer = open_gate({.owner_uid = kOwner, .origins = {"https://*.lab.example"}})(asks);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(answer->headers.get("Access-Control-Allow-Headers"), "authorization, content-type");
  http::Response read;
  http::add_sharing(asks, read);
  EXPECT_EQ(read.headers.get("Access-Control-Allow-Origin"), "https://a.lab.example");
  http::Request stranger = local(kRuns, {{"Origin", "https://lab.example.evil"}});
  EXPECT_EQ(open_gate({.owner_uid = kOwner, .origins = {"https://*.lab.example"}})(stranger)->status, 403);
  http::Request liar = local(kRuns, {{"X-Slipway-Internal-Shared-With", "https://evil.example"}});
  EXPECT_FALSE(gate_(liar));
  http::Response none;
  http::add_sharing(liar, none);
  EXPECT_FALSE(none.headers.has("Access-Control-Allow-Origin"));
}

TEST_F(GateTest, names_of_ours_may_have_stars_and_ports) {
  const auto gate = open_gate({.owner_uid = kOwner, .hosts = {"*.lab.example", "other:8080"}});
  for (const char* host : {"a.lab.example", "A.lab.example:7070", "other:8080"}) {
    http::Request request = local(kRuns, {{"Host", host}});
    EXPECT_FALSE(gate(request)) << host;
  }
  for (const char* host : {"lab.example", "other:8081", "other", "lab.example.evil"}) {
    http::Request request = local(kRuns, {{"Host", host}});
    EXPECT_TRUE(gate(request)) << host;
  }
}

TEST_F(GateTest, a_static_prefix_is_taken_off_where_it_is_there) {
  const auto gate = open_gate({.owner_uid = kOwner, .static_prefix = "/lab"});
  for (const auto& [target, path, prefix] :
       std::vector<std::array<std::string, 3>>{{"/lab/api/v1/runs", "/api/v1/runs", "/lab"},
                                               {"/lab", "/", "/lab"},
                                               {"/api/v1/runs", "/api/v1/runs", ""},
                                               {"/laboratory", "/laboratory", ""},
                                               {"/lab/projects/default/api/v1/runs", "/api/v1/runs", "/lab"}}) {
    http::Request request = local(target, {{std::string(kStaticPrefixHeader), "/lie"}});
    EXPECT_FALSE(gate(request)) << target;
    EXPECT_EQ(request.path, path);
    EXPECT_EQ(request.headers.get(kStaticPrefixHeader), prefix);
  }
}

TEST_F(GateTest, a_signed_url_is_its_own_credential_and_its_host_is_still_looked_at) {
  http::Request put = remote("/signed/uploads/u/1?expires=1&signature=x");
  put.method = http::Method::put;
  EXPECT_EQ(status(put), 200);
  EXPECT_EQ(caller(put), "");
  http::Request rebound = local("/signed/artifacts/p/run/r/x", {{"Host", "evil.example"}});
  EXPECT_EQ(status(rebound), 403);
}

TEST_F(GateTest, a_token_is_shown_as_bearer_as_the_password_of_basic_or_in_the_cookie) {
  ASSERT_TRUE(teams_->create_member("bob", teams::Role::member).ok());
  const std::string secret = token("bob");
  EXPECT_EQ(caller(remote(kRuns, {{"Authorization", "Bearer " + secret}})), "bob");
  EXPECT_EQ(caller(remote(kRuns, {{"Authorization", "bearer  " + secret}})), "bob");
  EXPECT_EQ(caller(remote(kRuns, {{"Authorization", "Basic " + base64_encode("anybody:" + secret)}})), "bob");
  EXPECT_EQ(caller(remote(kRuns, {{"Cookie", "theme=dark; slipway_token=" + secret + "; x=y"}})), "bob");
  for (const std::string& bad : {"Bearer x" + secret, std::string("Bearer"), std::string("Basic !!!"),
                                 "Basic " + base64_encode(secret), "Token " + secret, secret}) {
    EXPECT_EQ(status(remote(kRuns, {{"Authorization", bad}})), 401) << bad;
  }
  EXPECT_EQ(status(remote(kRuns, {{"Cookie", "slipway_tokens=" + secret}})), 401);
}

TEST_F(GateTest, a_wrong_token_is_refused_where_none_would_have_done) {
  EXPECT_EQ(status(local(kRuns, {{"Authorization", "Bearer wrong"}})), 401);
  EXPECT_EQ(status(local("/healthz", {{"Authorization", "Bearer wrong"}})), 200);
}

TEST_F(GateTest, an_expired_token_says_so_and_a_missing_one_says_how) {
  const std::string secret = token("ada", std::chrono::hours(1));
  clock_.advance(std::chrono::hours(2));
  http::Request expired = remote(kRuns, {{"Authorization", "Bearer " + secret}}), none = remote(kRuns);
  EXPECT_NE(gate_(expired)->body.find("expired"), std::string::npos);
  const auto refused = gate_(none);
  EXPECT_NE(refused->body.find("Authorization: Bearer"), std::string::npos);
  EXPECT_EQ(refused->headers.get("WWW-Authenticate"), "Basic realm=\"slipway\"");
  http::Request page = remote(kRuns, {{"Sec-Fetch-Mode", "cors"}});  // the browser must not open a window of its own
  EXPECT_EQ(gate_(page)->headers.get("WWW-Authenticate"), "Bearer realm=\"slipway\"");
}

TEST_F(GateTest, what_must_answer_before_a_sign_in_is_open_and_nothing_of_the_api_is) {
  for (const char* open :
       {"/healthz", "/health", "/version", "/api/v1/login", "/", "/runs/1", "/assets/x.js", "/projects/lab/runs"}) {
    EXPECT_EQ(status(remote(open)), 200) << open;
    EXPECT_EQ(caller(remote(open)), "") << open;
  }
  for (const char* closed :
       {kRuns, "/api/2.0/mlflow/runs/search", "/ajax-api/2.0/x", "/v2/models/m/infer", "/metrics", "/git/x", "/hooks/x",
        "/v1/models", "/projects/default/api/v1/runs", "/projects/default/metrics", "/get-artifact?run_id=1&path=x",
        "/model-versions/get-artifact?name=m&version=1&path=x", "/projects/default/get-artifact"}) {
    EXPECT_EQ(status(remote(closed)), 401) << closed;
  }
  http::Request post = remote("/runs/1");
  post.method = http::Method::post;
  EXPECT_EQ(status(post), 401);
}

TEST_F(GateTest, nobody_sets_the_headers_that_the_gate_hands_on) {
  const Headers forged = {{"X-Slipway-Internal-Caller",
                           "1\x1f"
                           "root\x1f"
                           "1\x1f"},
                          {"X-Slipway-Internal-Project", "other"},
                          {"x-slipway-internal-caller", "2"}};
  http::Request open = remote("/healthz", forged);
  ASSERT_FALSE(gate_(open));
  EXPECT_EQ(caller_of(open).name, "");
  EXPECT_EQ(project_of(open), kDefaultProject);
}

TEST_F(GateTest, a_runs_own_token_speaks_for_its_member_without_their_rights_as_admin) {
  const std::string secret = teams_->issue_run_token(RunId("r1"), teams_->owner().id, std::chrono::hours(1)).value();
  http::Request request = remote(kRuns, {{"Authorization", "Bearer " + secret}}), own = local(kRuns);
  ASSERT_FALSE(gate_(request));
  EXPECT_EQ(caller_of(request).run, RunId("r1"));
  EXPECT_FALSE(caller_of(request).admin);
  ASSERT_FALSE(gate_(own));
  EXPECT_TRUE(caller_of(own).admin);
}

TEST_F(GateTest, a_project_is_named_by_path_header_or_query_and_is_default_otherwise) {
  const std::string lab = teams_->create_project("lab 1", "")->id.text;
  EXPECT_EQ(project(local(kRuns)), "default");
  EXPECT_EQ(project(local(kRuns, {{"X-Slipway-Project", "lab 1"}})), lab);
  EXPECT_EQ(project(local(kRuns, {{"X-MLFLOW-WORKSPACE", "lab 1"}})), lab);
  EXPECT_EQ(project(local("/api/v1/runs?project=lab 1")), lab);
  EXPECT_EQ(project(local("/projects/lab%201/api/v1/runs")), lab);
  EXPECT_EQ(project(local("/projects/default/api/v1/runs")), "default");
  EXPECT_EQ(project(local("/projects/lab%201/api/v1/runs", {{"X-Slipway-Project", "lab 1"}})), lab);
  EXPECT_EQ(project(local("/projects/lab%201/api/v1/runs", {{"X-Slipway-Project", "default"}})), "400");
  for (auto& unknown : {local(kRuns, {{"X-Slipway-Project", "lab"}}), local("/projects/lab/api/v1/runs"),
                        local("/api/v1/runs?project=lab")})
    EXPECT_EQ(project(unknown), "404");
}

TEST_F(GateTest, whoever_shows_no_credential_does_not_learn_which_projects_there_are) {
  ASSERT_TRUE(teams_->create_project("lab", "").ok());
  EXPECT_EQ(status(remote("/projects/lab/api/v1/runs")), 401);
  EXPECT_EQ(status(remote("/projects/none/api/v1/runs")), 401);
  EXPECT_EQ(status(remote("/projects/none/runs")), 200);
}

TEST_F(GateTest, the_prefix_of_a_project_is_taken_off_the_path) {
  const auto rest = [&](std::string target) {
    http::Request request = local(std::move(target));
    EXPECT_FALSE(gate_(request));
    return request.target + " " + request.path;
  };
  EXPECT_EQ(rest("/projects/default/api/v1/runs?a=%2F"), "/api/v1/runs?a=%2F /api/v1/runs");
  EXPECT_EQ(rest("/projects/default/v2/models/a%20b"), "/v2/models/a%20b /v2/models/a b");
  EXPECT_EQ(rest("/projects/default"), "/ /");
  EXPECT_EQ(rest("/projects/default/"), "/ /");
  EXPECT_EQ(rest("/projects/default?x=1"), "/?x=1 /");
  EXPECT_EQ(rest("/projects/"), "/projects/ /projects/");
  EXPECT_EQ(rest("/api/v1/projects/default"), "/api/v1/projects/default /api/v1/projects/default");
}

}  // namespace
}  // namespace slipway::api
