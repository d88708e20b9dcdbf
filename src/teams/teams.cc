#include "teams/teams.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "teams/password.h"

namespace slipway::teams {
namespace {

using catalog::Connection;
using catalog::Durability;
using catalog::Row;
using catalog::Value;

// --- SQL -----------------------------------------------------------------------------------------------------------

constexpr std::string_view kSelectMember =
    "SELECT id, name, display_name, role, created_at FROM members WHERE name = ? AND disabled = 0";
constexpr std::string_view kSelectMembers =
    "SELECT id, name, display_name, role, created_at FROM members WHERE disabled = 0 ORDER BY name";
constexpr std::string_view kInsertMember =
    "INSERT INTO members (id, name, display_name, role, password_hash, created_at, disabled) VALUES (?, ?, ?, ?, NULL, ?, 0)";
constexpr std::string_view kSelectLiveTokens =
    "SELECT t.hash, t.expires_at, t.run_id, m.id, m.name, m.display_name, m.role, m.created_at "
    "FROM tokens t JOIN members m ON m.id = t.member_id "
    "WHERE m.disabled = 0 AND (t.expires_at IS NULL OR t.expires_at > ?)";
constexpr std::string_view kSelectTokens =
    "SELECT id, member_id, name, created_at, expires_at, run_id FROM tokens WHERE member_id = ? AND run_id IS NULL "
    "ORDER BY id";
constexpr std::string_view kInsertToken =
    "INSERT INTO tokens (id, member_id, name, hash, created_at, expires_at, last_used_at, run_id) "
    "VALUES (?, ?, ?, ?, ?, ?, NULL, ?)";

constexpr Duration kLoginLifetime = std::chrono::hours(24 * 30);

Role parse_role(std::string_view text) { return text == "admin" ? Role::admin : Role::member; }

/// Five columns from `first`: id, name, display_name, role, created_at.
Member member_of(const Row& row, int first = 0) {
  return {MemberId(row.text(first)), std::string(row.text(first + 1)), std::string(row.text(first + 2)),
          parse_role(row.text(first + 3)), Time{row.integer(first + 4)}};
}

Token token_of(const Row& row) {
  Token token{TokenId(row.text(0)), MemberId(row.text(1)), std::string(row.text(2)), Time{row.integer(3)}, {}, {}};
  if (const auto expires = row.maybe_integer(4)) token.expires_at = Time{*expires};
  if (const auto run = row.maybe_text(5)) token.run = RunId(*run);
  return token;
}

Value nullable(const std::optional<Time>& time) { return time ? Value(time->micros) : Value(nullptr); }

Result<void> check_name(std::string_view what, std::string_view text) {
  if (text.empty() || text.size() > kMemberNameBytesMax || !is_utf8(text) ||
      text.find_first_of(":/\n\r\t\0") != std::string_view::npos) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("'{}' cannot be the name of a {}; expected 1 to {} characters without ':', '/' or line breaks",
                    clean_utf8(text, 100), what, kMemberNameBytesMax)};
  }
  return {};
}

}  // namespace

std::string_view name(Role role) { return role == Role::admin ? "admin" : "member"; }

Result<std::unique_ptr<Teams>> Teams::open(catalog::Database& database, const Clock& clock,
                                           std::string_view owner_name) {
  std::unique_ptr<Teams> teams(new Teams(database, clock));
  const auto find = [&] {
    return database.read_value([&](Connection& c) {
      return c.first(kSelectMember, {std::string(owner_name)}, [](const Row& row) { return member_of(row); });
    });
  };
  auto owner = TRY(find());
  if (!owner) {
    TRY(teams->create_member(owner_name, Role::admin));
    owner = TRY(find());
  }
  teams->owner_ = *owner;
  TRY(teams->refresh());
  if (database.is_postgres()) teams->start_refreshing();
  return teams;
}

Teams::~Teams() {
  *stopping_.lock() = true;
  stop_changed_.notify_all();
}

void Teams::start_refreshing() {
  refresher_ = Thread("teams-refresh", [this] {
    while (true) {
      {
        auto stopping = stopping_.lock();
        if (stopping.wait_until(stop_changed_, std::chrono::steady_clock::now() + kTokenRefreshInterval,
                                [&] { return *stopping; }))
          return;
      }
      const auto refreshed = refresh();
      if (!refreshed.ok())
        log_warning("teams", "tokens could not be read again", {{"error", refreshed.error().message}});
    }
  });
}

Result<void> Teams::refresh() {
  auto fresh = std::make_shared<Snapshot>();
  fresh->number = ++reads_begun_;
  TRY(database_.read([&](Connection& c) -> Result<void> {
    TRY(c.run(kSelectLiveTokens, {clock_.now().micros}, [&](const Row& row) {
      Known known{{member_of(row, 3), std::nullopt}, std::nullopt};
      if (const auto expires = row.maybe_integer(1)) known.expires_at = Time{*expires};
      if (const auto run = row.maybe_text(2)) known.identity.run = RunId(*run);
      fresh->tokens_by_hash.emplace(std::string(row.text(0)), std::move(known));
      return true;
    }));
    TRY(c.run("SELECT id, name FROM projects WHERE archived = 0", {}, [&](const Row& row) {
      fresh->projects_by_name.emplace(std::string(row.text(1)), ProjectId(row.text(0)));
      fresh->project_ids.insert(std::string(row.text(0)));
      return true;
    }));
    return {};
  }));
  // Two threads may refresh at once: the one that began to read later wins.
  auto current = snapshot_.lock();
  if (!*current || (*current)->number < fresh->number) *current = std::move(fresh);
  return {};
}

std::optional<Identity> Teams::authenticate(std::string_view secret) {
  const std::shared_ptr<const Snapshot> snapshot = *snapshot_.lock();
  const auto at = snapshot->tokens_by_hash.find(sha256_hex(secret));
  if (at == snapshot->tokens_by_hash.end()) return std::nullopt;
  if (at->second.expires_at && *at->second.expires_at <= clock_.now()) return std::nullopt;
  return at->second.identity;
}

Result<std::string> Teams::login(std::string_view member_name, std::string_view password) {
  if (const Duration wait = attempts_.lock()->wait(member_name, clock_.now()); wait > Duration::zero()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    return Error{
        ErrorCode::busy,
        fmt::format("too many wrong passwords for this name; try again in {} s, or sign in with a token", seconds)};
  }
  struct Found {
    MemberId id;
    std::string password_hash;
  };
  const auto found = TRY(database_.read_value([&](Connection& c) {
    return c.first("SELECT id, password_hash FROM members WHERE name = ? AND disabled = 0", {std::string(member_name)},
                   [](const Row& row) {
                     return Found{MemberId(row.text(0)), std::string(row.text(1))};
                   });
  }));
  // An unknown name costs the same time as a wrong password, so names cannot be guessed by the clock.
  static const std::string kNobody = hash_password("nobody has this password");
  const bool known = found && !found->password_hash.empty();
  const bool right = TRY(check_password(known ? found->password_hash : kNobody, password));
  if (!known || !right) {
    attempts_.lock()->failed(member_name, clock_.now());
    return Error{ErrorCode::unauthenticated,
                 "the name or the password is wrong; sign in with a token, or ask an admin to set your password"};
  }
  attempts_.lock()->succeeded(member_name);
  return TRY(create_token(found->id, "login", kLoginLifetime)).secret;
}

Result<bool> Teams::check_password(const std::string& encoded, std::string_view password) {
  const size_t others = passwords_checked_.fetch_add(1);
  const bool right = others < kPasswordsCheckedAtOnceMax && verify_password(encoded, password);
  passwords_checked_.fetch_sub(1);
  if (others >= kPasswordsCheckedAtOnceMax)
    return Error{ErrorCode::busy,
                 fmt::format("{} passwords are being checked right now; try again in a second", others)};
  return right;
}

Result<void> Teams::set_password(const MemberId& member, std::string_view password) {
  if (password.size() < kPasswordBytesMin) {
    return Error{ErrorCode::invalid_argument, fmt::format("a password has at least {} characters; this one has {}",
                                                          kPasswordBytesMin, password.size())};
  }
  const std::string encoded = hash_password(password);
  return database_.write(Durability::record, [=](Connection& c) -> Result<void> {
    const auto changed = TRY(c.run("UPDATE members SET password_hash = ? WHERE id = ?", {encoded, member.text}));
    if (changed == 0) return Error{ErrorCode::not_found, "there is no member " + member.text};
    return {};
  });
}

Result<bool> Teams::an_admin_has_a_credential() {
  const auto found = TRY(database_.read_value([&](Connection& c) {
    return c.first(
        "SELECT 1 FROM members m WHERE m.role = 'admin' AND m.disabled = 0 AND (m.password_hash IS NOT NULL OR EXISTS "
        "(SELECT 1 FROM tokens t WHERE t.member_id = m.id AND t.run_id IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?)))",
        {clock_.now().micros}, [](const Row&) { return true; });
  }));
  return found.has_value();
}

Result<std::vector<Member>> Teams::members() {
  return database_.read_value(
      [](Connection& c) { return c.rows(kSelectMembers, {}, [](const Row& row) { return member_of(row); }); });
}

Result<MemberId> Teams::find_member(std::string_view member_name) {
  const auto found = TRY(database_.read_value([&](Connection& c) {
    return c.first(kSelectMember, {std::string(member_name)}, [](const Row& row) { return MemberId(row.text(0)); });
  }));
  if (!found) return Error{ErrorCode::not_found, "there is no member '" + clean_utf8(member_name, 100) + "'"};
  return *found;
}

Result<Member> Teams::create_member(std::string_view member_name, Role role) {
  TRY(check_name("member", member_name));
  const Member member{new_id<MemberId>(clock_), std::string(member_name), std::string(member_name), role, clock_.now()};
  const auto created = database_.write(Durability::record, [member](Connection& c) -> Result<void> {
    TRY(c.run(kInsertMember, {member.id.text, member.name, member.display_name, std::string(teams::name(member.role)),
                              member.created_at.micros}));
    return {};
  });
  if (!created.ok() && created.error().code == ErrorCode::already_exists) {
    return Error{ErrorCode::already_exists, "there is a member named '" + member.name + "' already"};
  }
  TRY(created);
  return member;
}

Result<Teams::NewToken> Teams::create_token(const MemberId& member, std::string_view token_name,
                                            std::optional<Duration> lifetime, std::optional<RunId> run) {
  TRY(check_name("token", token_name));
  if ((*snapshot_.lock())->tokens_by_hash.size() >= kTokensMax) {
    return Error{ErrorCode::busy, fmt::format("there are {} live tokens, which is the limit; revoke some", kTokensMax)};
  }
  NewToken made{{new_id<TokenId>(clock_), member, std::string(token_name), clock_.now(), std::nullopt, run},
                "slw_" + random_hex(32)};
  if (lifetime) made.token.expires_at = made.token.created_at + *lifetime;
  const std::string hash = sha256_hex(made.secret);
  const auto created = database_.write(Durability::record, [token = made.token, hash](Connection& c) -> Result<void> {
    TRY(c.run(kInsertToken, {token.id.text, token.member.text, token.name, hash, token.created_at.micros,
                             nullable(token.expires_at), token.run ? Value(token.run->text) : Value(nullptr)}));
    return {};
  });
  if (!created.ok() && created.error().code == ErrorCode::failed_precondition) {
    return Error{ErrorCode::not_found, "there is no member " + member.text};
  }
  TRY(created);
  TRY(refresh());
  return made;
}

Result<std::vector<Token>> Teams::tokens(const MemberId& member) {
  return database_.read_value([&](Connection& c) {
    return c.rows(kSelectTokens, {member.text}, [](const Row& row) { return token_of(row); });
  });
}

Result<void> Teams::revoke_token(const MemberId& member, const TokenId& token) {
  TRY(database_.write(Durability::record, [=](Connection& c) -> Result<void> {
    const auto changed = TRY(c.run("DELETE FROM tokens WHERE id = ? AND member_id = ?", {token.text, member.text}));
    if (changed == 0)
      return Error{ErrorCode::not_found, "you have no token " + token.text + "; `slipway tokens list` shows yours"};
    return {};
  }));
  return refresh();
}

Result<std::string> Teams::issue_run_token(const RunId& run, const MemberId& member, Duration lifetime) {
  return TRY(create_token(member, "run " + run.text, lifetime, run)).secret;
}

Result<void> Teams::revoke_run_tokens(const RunId& run) {
  TRY(database_.write(Durability::record, [=](Connection& c) -> Result<void> {
    TRY(c.run("DELETE FROM tokens WHERE run_id = ?", {run.text}));
    return {};
  }));
  return refresh();
}

Result<std::vector<Project>> Teams::projects() {
  return database_.read_value([](Connection& c) {
    return c.rows("SELECT id, name, description, created_at FROM projects WHERE archived = 0 ORDER BY name", {},
                  [](const Row& row) {
                    return Project{ProjectId(row.text(0)), std::string(row.text(1)), std::string(row.text(2)),
                                   Time{row.integer(3)}};
                  });
  });
}

Result<Project> Teams::create_project(std::string_view project_name, std::string_view description) {
  TRY(check_name("project", project_name));
  const Project project{new_id<ProjectId>(clock_), std::string(project_name), std::string(description), clock_.now()};
  const auto created = database_.write(Durability::record, [project](Connection& c) -> Result<void> {
    TRY(c.run("INSERT INTO projects (id, name, description, created_at, archived) VALUES (?, ?, ?, ?, 0)",
              {project.id.text, project.name, project.description, project.created_at.micros}));
    return {};
  });
  if (!created.ok() && created.error().code == ErrorCode::already_exists) {
    return Error{ErrorCode::already_exists, "there is a project named '" + project.name + "' already"};
  }
  TRY(created);
  TRY(refresh());
  return project;
}

Result<Project> Teams::describe_project(std::string_view project_name, std::string_view description) {
  const std::string name(clean_utf8(project_name, 200)), text(description);
  const auto changed = TRY(database_.write_value(Durability::record, [&](Connection& c) {
    return c.run("UPDATE projects SET description = ? WHERE name = ? AND archived = 0", {text, name});
  }));
  for (Project& project : TRY(projects())) {
    if (changed > 0 && project.name == name) return std::move(project);
  }
  return Error{ErrorCode::not_found, "there is no project '" + clean_utf8(name, 100) + "'"};
}

std::optional<ProjectId> Teams::find_project(std::string_view project_name) {
  const std::shared_ptr<const Snapshot> snapshot = *snapshot_.lock();
  const auto at = snapshot->projects_by_name.find(std::string(project_name));
  if (at != snapshot->projects_by_name.end()) return at->second;
  if (snapshot->project_ids.contains(std::string(project_name))) return ProjectId(project_name);
  return std::nullopt;
}

}  // namespace slipway::teams
