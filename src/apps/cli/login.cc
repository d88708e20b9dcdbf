// slipway login, slipway tokens: credentials.
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/text.h"
#include "cli.h"
#include "config.h"

namespace slipway::cli {
namespace {

/// One line from the terminal without showing it; from a pipe as it comes.
std::string read_secret(const std::string& prompt) {
  termios before{};
  const bool hide = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (hide) {
    std::fputs(prompt.c_str(), stderr);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (hide) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::fputs("\n", stderr);
  }
  return line;
}

Result<int> run_login(Context& context, const Arguments& arguments) {
  Context::Settings settings = context.settings();
  if (arguments.has("name")) {
    Json credentials{Json::Object{}};
    credentials.set("name", arguments.get("name")).set("password", read_secret("Password: "));
    settings.token = TRY(context.post("/api/v1/login", credentials))["token"].string();
  } else {
    settings.token = read_secret("Token: ");
  }
  Context with_token(settings);
  const Json server = TRY(with_token.get("/api/v1/server"));
  TRY(write_config(settings));
  if (context.json()) {
    print_json(server["member"]);
  } else {
    std::printf("Signed in to %s as %s; the token is kept in %s\n", settings.url.c_str(),
                server["member"]["name"].string().c_str(), config_path().c_str());
  }
  return kExitOk;
}

Result<int> list_tokens(Context& context, const Arguments&) {
  const Json answer = TRY(context.get("/api/v1/tokens"));
  if (context.json()) {
    print_json(answer);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& token : answer["tokens"].array()) {
    rows.push_back({token["id"].string(), token["name"].string(), render_ago(token["created_at"]),
                    token["expires_at"].is_null() ? "never" : token["expires_at"].string()});
  }
  print_table({"ID", "NAME", "CREATED", "EXPIRES"}, rows);
  return kExitOk;
}

Result<int> create_token(Context& context, const Arguments& arguments) {
  Json body{Json::Object{}};
  body.set("name", arguments.get("name"));
  if (arguments.has("days")) body.set("days", TRY(arguments.integer("days")));
  const Json token = TRY(context.post("/api/v1/tokens", body));
  if (context.json()) {
    print_json(token);
  } else {
    std::printf("%s\nThis is the only time it is shown. Use it as SLIPWAY_TOKEN or MLFLOW_TRACKING_TOKEN.\n",
                token["secret"].string().c_str());
  }
  return kExitOk;
}

/// A token's id: as typed, or that of the only token of this name.
Result<std::string> find_token(Context& context, const std::string& text) {
  const Json answer = TRY(context.get("/api/v1/tokens"));
  std::vector<std::string> found;
  for (const Json& token : answer["tokens"].array()) {
    if (token["id"].string() == text) return text;
    if (token["name"].string() == text) found.push_back(token["id"].string());
  }
  if (found.size() > 1)
    return Error{ErrorCode::invalid_argument,
                 "several tokens are called '" + text + "'; give the id of one: " + join(found, ", ")};
  if (found.empty())
    return Error{ErrorCode::not_found, "you have no token '" + text + "'; `slipway tokens list` shows what there is"};
  return found[0];
}

Result<int> revoke_token(Context& context, const Arguments& arguments) {
  const std::string id = TRY(find_token(context, arguments.get("token")));
  TRY(context.del("/api/v1/tokens/" + http::url_encode(id)));
  if (context.json())
    print_json(Json().set("revoked", id));
  else
    std::printf("the token %s opens nothing any more\n", arguments.get("token").c_str());
  return kExitOk;
}

}  // namespace

void add_login(Commands& commands) {
  commands.push_back(
      {.path = "login",
       .summary = "Keep a token for a server",
       .details =
           "Reads the token from the terminal or standard input. On the server's own machine its owner needs none.",
       .example = "slipway login < token.txt",
       .positionals = {},
       .options = {{.name = "name",
                    .value_name = "MEMBER",
                    .help = "Sign in with this member's password instead of a token"}},
       .run = run_login});
}

void add_tokens(Commands& commands) {
  commands.push_back({.path = "tokens list",
                      .summary = "Your tokens",
                      .details = "",
                      .example = "slipway tokens list",
                      .positionals = {},
                      .options = {},
                      .run = list_tokens});
  commands.push_back({.path = "tokens create",
                      .summary = "Make a token for a script or another machine",
                      .details = "",
                      .example = "slipway tokens create laptop --days 90",
                      .positionals = {{.name = "name", .help = "What it is for"}},
                      .options = {{.name = "days", .value_name = "N", .help = "Expires after so many days [never]"}},
                      .run = create_token});
  commands.push_back({.path = "tokens revoke",
                      .summary = "End a token",
                      .details = "",
                      .example = "slipway tokens revoke laptop",
                      .positionals = {{.name = "token", .help = "Its name or id, as `slipway tokens list` shows them"}},
                      .options = {},
                      .run = revoke_token});
}

}  // namespace slipway::cli
